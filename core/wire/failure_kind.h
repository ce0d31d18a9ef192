/* The kinds of a provider's failure (enum conduit_kind of provider.h): their errno and names. */
#ifndef CORE_WIRE_FAILURE_KIND_H
#define CORE_WIRE_FAILURE_KIND_H

#define FAILURE_KINDS 14

/* The errno that provider.h promises; EIO for a number that is no kind. */
int failure_kind_errno(unsigned kind);
/* "BUSY"; "OTHER" for a number that is no kind. */
const char *failure_kind_name(unsigned kind);
/* The kind of an errno; -1 when none gives it. */
int failure_kind_of_errno(int code);

#endif
