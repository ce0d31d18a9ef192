/* The table that generates the tree: every name that conduitfs itself makes, what it is, where it
 * stands, and the functions that show and take its content. Names that data make (providers,
 * components of model ids, turns, links, scratch files) have a row without a name. */
#ifndef FS_TREE_TABLE_H
#define FS_TREE_TABLE_H

#include "core/base/buf.h"
#include "core/base/fail.h"
#include "core/turn/chain.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct tree;
struct node;

/* The low byte of an inode number: part of what a program may have kept, so that a number never
 * changes its meaning. Add, never renumber. */
enum kind {
	KIND_ROOT = 1, /* with id 0 this is inode 1 */
	KIND_README = 2,
	KIND_ROOT_STATUS = 3,
	KIND_ROOT_CTL = 4,
	KIND_ROOT_USAGE = 5,
	KIND_ROOT_ERROR = 6,
	KIND_PROVIDERS = 7,
	KIND_CONFIG = 8, /* of the root, a provider or a model: the id is the place's */
	KIND_USER_LINK = 9,
	KIND_SCRATCH = 10,
	KIND_PROVIDER_USAGE = 11,
	KIND_BUDGET = 12, /* of the root, a provider or a session: the id is the place's */
	KIND_BUDGET_DAY = 13,
	KIND_BUDGET_MONTH = 14,
	KIND_BUDGET_TOTAL = 15,

	KIND_PROVIDER = 16,
	KIND_PROVIDER_MANIFEST = 17,
	KIND_PROVIDER_STATUS = 18,
	KIND_PROVIDER_ERROR = 19,
	KIND_PROVIDER_LOG = 20,
	KIND_PROVIDER_CTL = 21,
	KIND_PROVIDER_KEY = 22,
	KIND_PROVIDER_MODELS_TSV = 23,
	KIND_PROVIDER_INFO = 24,
	KIND_PROVIDER_INFO_FILE = 25, /* 25 to 38, one a fact */
	KIND_PROVIDER_INFO_LAST = 38,
	KIND_GROUP_OUTPUT = 39,

	KIND_MODELS = 40,
	KIND_PLACE = 41,
	KIND_FREE = 42,
	KIND_FREE_PLACE = 43,
	KIND_FREE_LINK = 44,
	KIND_PROVIDER_SOURCE = 45,
	KIND_GROUP_ANSWER = 46,
	KIND_GROUP_STATUS = 47,

	KIND_INPUT = 48,
	KIND_OUTPUT_LINK = 49,
	KIND_PROMPT_LINK = 50,
	KIND_USAGE_LINK = 51,
	KIND_ERROR_LINK = 52,
	KIND_MODEL_STATUS = 53,
	KIND_MODEL_CTL = 54,
	KIND_TURNS = 55,
	KIND_MODEL_INFO = 56,
	KIND_MODEL_INFO_FILE = 57, /* 57 to 79, one a fact */
	KIND_MODEL_INFO_LAST = 79,
	KIND_ATTACHED_LINK = 80,
	KIND_TURN_ATTACHMENTS = 81,
	KIND_TURN_ATTACHMENT = 82,

	KIND_ARTIFACT = 92, /* the id is the turn's and its number there: see results.c */
	KIND_TURN_TYPED_LINK = 93, /* output.png beside a turn's output */
	KIND_TYPED_LINK = 94, /* the same beside a model's */

	KIND_TURN = 96,
	KIND_TURN_PROMPT = 97,
	KIND_TURN_OUTPUT = 98,
	KIND_TURN_STATUS = 99,
	KIND_TURN_USAGE = 100,
	KIND_TURN_ERROR = 101,
	KIND_TURN_REQUEST = 102,
	KIND_TURN_RESPONSE = 103,
	KIND_TURN_ARTIFACTS = 104,
	KIND_TURN_REASONING = 105,
	KIND_LAST_LINK = 106,
	KIND_ZERO = 107, /* turns/000000: the id is the model's place */
	KIND_ZERO_PROMPT = 108,
	KIND_ZERO_OUTPUT = 109,
	KIND_ZERO_STATUS = 110,
	KIND_ZERO_USAGE = 111,
	KIND_ZERO_ERROR = 112,
	KIND_RPC = 113,
	KIND_ESTIMATE = 114,
	KIND_SESSIONS = 115,
	KIND_CAPABILITIES = 116,
	KIND_GROUPS = 117,
	KIND_GROUP = 118,
	KIND_ROUTE_FILE = 119,
	KIND_ROUTE_MODELS = 120, /* models/ of a route, and directories below it */
	KIND_ROUTE_LINK = 121,
	KIND_MESSAGES = 122,
	KIND_TRANSCRIPT = 123,
	KIND_ATTACH = 124,
	KIND_ATTACHMENT = 125,
	KIND_TURN_EXCHANGE = 126,
	KIND_GROUP_INPUT = 127,

	KIND_SETTING = 128, /* 128 and up: the index into setting_specs is added */
	KIND_SETTING_LAST = 255,
};

/* What the rest of an inode number is the id of. */
enum space {
	SPACE_NONE, /* there is one of it */
	SPACE_PLACE, /* a place of the catalogue */
	SPACE_ROUTE, /* a place and a capability */
	SPACE_TURN, /* a turn */
	SPACE_LINK, /* a link of the user's */
	SPACE_SCRATCH, /* a scratch file */
	SPACE_ARTIFACT, /* a turn and a number in its artifacts/ */
	SPACE_ATTACHMENT, /* what goes along with a prompt */
};

/* When what was written is handed over. */
enum moment {
	AFTER_WRITE, /* more may come; a shell reports what is refused here */
	AT_FLUSH, /* a process closed its descriptor; others may go on. cp and editors report */
	AT_RELEASE, /* the last close: nobody hears of a failure but through `error` */
};

struct entry {
	enum kind kind;
	enum kind parent;
	const char *name; /* NULL: data make the names */
	mode_t mode;
	enum space space;
	bool stable; /* what it shows doesn't change by itself: the kernel may keep size and bytes
		      */
	bool polls; /* a status: poll(2) tells when it would read differently */
	/* A file's content, a link's target. `tid` is who asks, 0 nobody in particular. NULL:
	 * handled by its own code (input, a turn's files) or a directory. */
	bool (*show)(struct tree *tree, const struct node *node, int32_t tid, struct buf *out);
	/* Takes what was written and isn't done with yet. Returns how many bytes at the front are
	 * done with, or -1 with words. NULL: read-only. */
	ssize_t (*accept)(struct tree *tree, const struct node *node, const struct chain *who,
			const char *text, size_t size, enum moment moment, struct fail *fail);
};

/* The row of a kind; NULL when there is none. */
const struct entry *entry_of(enum kind kind);
/* The named row below a directory's kind; NULL when there is none. */
const struct entry *entry_find(enum kind parent, const char *name);
/* The named rows below a directory's kind, in order: the i-th, NULL at the end. */
const struct entry *entry_child(enum kind parent, size_t i);

#endif
