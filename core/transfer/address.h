/* What kind of network an address lies in: a name that a provider may ask for can lead into the
 * user's own machine or house, whatever the allow-list says. */
#ifndef CORE_TRANSFER_ADDRESS_H
#define CORE_TRANSFER_ADDRESS_H

#include <stddef.h>
#include <sys/socket.h>

/* NULL for an address of the open internet; else what it is, for words: "loopback", "private",
 * "link-local" … Addresses inside an IPv6 one (mapped, NAT64, 6to4) are looked at too; an unknown
 * family is "of an unknown kind". */
const char *address_kind(const struct sockaddr *address, size_t size);
/* The same for an address in text, as libcurl states that of a connection. */
const char *address_text_kind(const char *text);
/* The port, 0 for an unknown family. */
int address_port(const struct sockaddr *address, size_t size);

#endif
