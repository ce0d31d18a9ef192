/* A service's address as a person or a manifest states it. */
#ifndef CORE_CONFIG_BASE_URL_H
#define CORE_CONFIG_BASE_URL_H

#include "core/base/fail.h"

#include <stdbool.h>

/* Checks an address and gives it without trailing slashes; the caller frees. http or https, a host,
 * no user name, query or fragment; plain http only to loopback, or where `insecure`. NULL with
 * words that never repeat an address which may hold a password or a key. */
char *base_url_check(const char *text, bool insecure, struct fail *fail);

/* The address that a variable means which names a host, as OLLAMA_HOST does: HOST, HOST:PORT, :PORT
 * or an address. What it leaves out (http, this machine, the port) is as in `standard`; 0.0.0.0 and
 * [::], where a server listens everywhere, are this machine. To be checked by base_url_check; the
 * caller frees; NULL without memory. */
char *base_url_of_host(const char *text, const char *standard);

/* Whether a host, as an address names it ("[::1]" for IPv6), is this machine by its very name. */
bool host_is_loopback(const char *host);

/* Whether a text can be a host that a provider may ask for: a name in lower case, "*." and a name
 * of at least two parts, an IPv4 address as four numbers, an IPv6 address without brackets. */
bool host_valid(const char *text);
/* Whether such a host lies in the local network by its very name: localhost, an address that isn't
 * one of the open internet. What a name leads to is looked at when it is connected to. */
bool host_is_local(const char *host);
/* The two of the host of an address that base_url_check accepted. */
bool base_url_is_plain(const char *url);
bool base_url_is_local(const char *url);

#endif
