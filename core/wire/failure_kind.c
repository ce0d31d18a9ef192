/* Kinds of failure: see failure_kind.h. */
#include "core/wire/failure_kind.h"

#include <errno.h>

static const struct {
	int code;
	const char *name;
} kinds[FAILURE_KINDS] = {
		{EIO, "OTHER"},
		{ENOKEY, "NO_KEY"},
		{EKEYREJECTED, "BAD_KEY"},
		{EREMOTEIO, "UPSTREAM"},
		{EACCES, "FORBIDDEN"},
		{EPERM, "MODERATED"},
		{EDQUOT, "QUOTA"},
		{EBUSY, "BUSY"},
		{EMSGSIZE, "TOO_LONG"},
		{ETIMEDOUT, "TIMED_OUT"},
		{EPROTO, "MALFORMED"},
		{ENOENT, "GONE"},
		{EINVAL, "INVALID"},
		{ENODEV, "MISSING"},
};

int failure_kind_errno(unsigned kind) {
	return kinds[kind < FAILURE_KINDS ? kind : 0].code;
}

const char *failure_kind_name(unsigned kind) {
	return kinds[kind < FAILURE_KINDS ? kind : 0].name;
}

int failure_kind_of_errno(int code) {
	for (int kind = 0; kind < FAILURE_KINDS; kind++) {
		if (kinds[kind].code == code) {
			return kind;
		}
	}
	return -1;
}
