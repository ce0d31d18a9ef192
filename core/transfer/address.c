/* Kinds of addresses, from the registries of special-purpose addresses (RFC 6890 and its
 * successors): see address.h. */
#include "core/transfer/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct network {
	uint32_t prefix;
	int bits;
	const char *kind;
};

static const struct network networks[] = {
		{0x00000000, 8, "unspecified"}, /* 0.0.0.0/8: reaches this host on Linux */
		{0x0a000000, 8, "private"}, /* 10.0.0.0/8 */
		{0x64400000, 10, "carrier-shared"}, /* 100.64.0.0/10, RFC 6598 */
		{0x7f000000, 8, "loopback"}, /* 127.0.0.0/8 */
		{0xa9fe0000, 16, "link-local"}, /* 169.254.0.0/16: clouds' metadata */
		{0xac100000, 12, "private"}, /* 172.16.0.0/12 */
		{0xc0000000, 24, "reserved"}, /* 192.0.0.0/24 */
		{0xc0a80000, 16, "private"}, /* 192.168.0.0/16 */
		{0xc6120000, 15, "private"}, /* 198.18.0.0/15, benchmarks */
		{0xe0000000, 3, "reserved"}, /* multicast, class E, broadcast */
};

static const char *ipv4_kind(const uint8_t bytes[4]) {
	uint32_t address = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 |
			   (uint32_t)bytes[2] << 8 | bytes[3];
	for (size_t i = 0; i < sizeof(networks) / sizeof(*networks); i++) {
		if (((address ^ networks[i].prefix) >> (32 - networks[i].bits)) == 0) {
			return networks[i].kind;
		}
	}
	return NULL;
}

static const char *ipv6_kind(const uint8_t a[16]) {
	static const uint8_t zeros[12], mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	if (memcmp(a, zeros, 12) == 0 && a[12] == 0 && a[13] == 0 && a[14] == 0 && a[15] <= 1) {
		return a[15] == 1 ? "loopback" : "unspecified";
	}
	if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0 || memcmp(a, zeros, 12) == 0) {
		return ipv4_kind(a + 12);
	}
	if (a[0] == 0x20 && a[1] == 0x02) { /* 2002::/16, 6to4 */
		return ipv4_kind(a + 2);
	}
	if (memcmp(a, nat64, 4) == 0 || (a[0] & 0xfe) == 0xfc) {
		return "private"; /* 64:ff9b:1::/48 and fc00::/7 */
	}
	if (a[0] == 0xfe && a[1] >= 0x80) {
		return a[1] >= 0xc0 ? "private" : "link-local"; /* fec0::/10, fe80::/10 */
	}
	bool teredo = a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0;
	/* Outside 2000::/3 nothing of the open internet has been given out. */
	return teredo || (a[0] & 0xe0) != 0x20 ? "reserved" : NULL;
}

const char *address_kind(const struct sockaddr *address, size_t size) {
	if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof(in));
		return ipv4_kind((const uint8_t *)&in.sin_addr);
	}
	if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in;
		memcpy(&in, address, sizeof(in));
		return ipv6_kind(in.sin6_addr.s6_addr);
	}
	return "of an unknown kind";
}

const char *address_text_kind(const char *text) {
	uint8_t bytes[16];
	if (inet_pton(AF_INET, text, bytes) == 1) {
		return ipv4_kind(bytes);
	}
	if (inet_pton(AF_INET6, text, bytes) == 1) {
		return ipv6_kind(bytes);
	}
	return "of an unknown kind";
}

int address_port(const struct sockaddr *address, size_t size) {
	if (address->sa_family == AF_INET && size >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in in;
		memcpy(&in, address, sizeof(in));
		return ntohs(in.sin_port);
	}
	if (address->sa_family == AF_INET6 && size >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 in;
		memcpy(&in, address, sizeof(in));
		return ntohs(in.sin6_port);
	}
	return 0;
}
