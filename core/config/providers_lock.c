/* The file providers.lock: see providers_lock.h. It may come from somebody else's repository, so
 * everything in it is checked for its shape; what a source means is for core/fetch to say. */
#include "core/config/providers_lock.h"

#include "core/base/file.h"
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/lock_write.h"
#include "core/config/yaml/fields.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>

#define VERSION 1
#define ENTRIES_MOST 256
#define SOURCE_MOST 1024
/* Of a hash in hex; git's have 40 (SHA-1) or 64 (SHA-256), those of directories begin with "tree-".
 */
#define HASH_MOST 72
#define WAIT_MS 2000
#define LOOK_MS 20

/* ---- entries in memory ---- */

void lock_entry_finish(struct lock_entry *entry) {
	free(entry->name);
	free(entry->source);
	free(entry->commit);
	free(entry->tree);
	free(entry->previous_commit);
	free(entry->previous_tree);
	consent_finish(&entry->allow);
	*entry = (struct lock_entry){0};
}

void providers_lock_finish(struct providers_lock *lock) {
	for (size_t i = 0; i < lock->n_entries; i++) {
		lock_entry_finish(&lock->entries[i]);
	}
	free(lock->entries);
	free(lock->path);
	*lock = (struct providers_lock){0};
}

/* Where an entry stands, or would. */
static size_t place_of(const struct providers_lock *lock, const char *name) {
	size_t index = 0;
	while (index < lock->n_entries && strcmp(lock->entries[index].name, name) < 0) {
		index++;
	}
	return index;
}

struct lock_entry *providers_lock_find(struct providers_lock *lock, const char *name) {
	size_t index = place_of(lock, name);
	bool found = index < lock->n_entries && strcmp(lock->entries[index].name, name) == 0;
	return found ? &lock->entries[index] : NULL;
}

struct lock_entry *providers_lock_add(struct providers_lock *lock, const char *name) {
	struct lock_entry *found = providers_lock_find(lock, name);
	if (found != NULL) {
		return found;
	}
	struct lock_entry entry = {.name = strdup(name),
			.source = strdup(""),
			.commit = strdup(""),
			.tree = strdup(""),
			.previous_commit = strdup(""),
			.previous_tree = strdup("")};
	struct lock_entry *grown = NULL;
	if (entry.name != NULL && entry.source != NULL && entry.commit != NULL &&
			entry.tree != NULL && entry.previous_commit != NULL &&
			entry.previous_tree != NULL) {
		grown = reallocarray(lock->entries, lock->n_entries + 1, sizeof(entry));
	}
	if (grown == NULL) {
		lock_entry_finish(&entry);
		return NULL;
	}
	lock->entries = grown;
	size_t index = place_of(lock, name);
	memmove(grown + index + 1, grown + index, (lock->n_entries - index) * sizeof(entry));
	grown[index] = entry;
	lock->n_entries++;
	return &grown[index];
}

void providers_lock_remove(struct providers_lock *lock, const char *name) {
	struct lock_entry *found = providers_lock_find(lock, name);
	if (found == NULL) {
		return;
	}
	lock_entry_finish(found);
	size_t after = lock->n_entries - 1 - (size_t)(found - lock->entries);
	memmove(found, found + 1, after * sizeof(*found));
	lock->n_entries--;
}

bool lock_entry_set(char **member, const char *value) {
	char *copy = strdup(value);
	if (copy == NULL) {
		return false;
	}
	free(*member);
	*member = copy;
	return true;
}

/* ---- reading ---- */

static bool is_source(const char *text) {
	size_t size = strlen(text);
	for (size_t i = 0; i < size; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) {
			return false;
		}
	}
	return size <= SOURCE_MOST && text[0] != '-' && text[0] != ' ' && utf8_valid(text, size);
}

static bool is_hash(const char *text) {
	bool directory = starts_with(text, "tree-");
	const char *hex = directory ? text + strlen("tree-") : text;
	size_t length = strlen(hex);
	return strspn(hex, "0123456789abcdef") == length &&
	       (directory ? length >= 16 && length <= HASH_MOST : length == 40 || length == 64);
}

static void read_source(const struct place *place, const struct yaml_node *node, void *into) {
	const char *text = node_text(place, node);
	if (text != NULL && !is_source(text)) {
		place_fault(place, node,
				"'%s' can't be a source: write an address of git or a path", text);
	} else if (text != NULL) {
		node_copy(place, text, &((struct lock_entry *)into)->source);
	}
}

static void read_hash(const struct place *place, const struct yaml_node *node, char **ret) {
	const char *text = node_text(place, node);
	if (text != NULL && !is_hash(text)) {
		place_fault(place, node,
				"'%s' is not a whole hash of git (40 or 64 hex digits): remove the "
				"line, and the next load writes it",
				text);
	} else if (text != NULL) {
		node_copy(place, text, ret);
	}
}

static void read_commit(const struct place *place, const struct yaml_node *node, void *into) {
	read_hash(place, node, &((struct lock_entry *)into)->commit);
}

static void read_tree(const struct place *place, const struct yaml_node *node, void *into) {
	read_hash(place, node, &((struct lock_entry *)into)->tree);
}

static void read_previous_commit(
		const struct place *place, const struct yaml_node *node, void *into) {
	read_hash(place, node, &((struct lock_entry *)into)->previous_commit);
}

static void read_previous_tree(
		const struct place *place, const struct yaml_node *node, void *into) {
	read_hash(place, node, &((struct lock_entry *)into)->previous_tree);
}

static void read_previous(const struct place *place, const struct yaml_node *node, void *into) {
	static const struct field fields[] = {
			{"commit", FIELD_SPECIAL, .read = read_previous_commit},
			{"tree", FIELD_SPECIAL, .read = read_previous_tree},
	};
	char name[256];
	snprintf(name, sizeof(name), "%s.previous", place->name);
	const struct place inside = {place->faults, name};
	fields_read(&inside, node, FIELDS(fields), UNKNOWN_REFUSED, "field", into);
}

static void read_allow(const struct place *place, const struct yaml_node *node, void *into) {
	struct lock_entry *entry = into;
	char name[256];
	snprintf(name, sizeof(name), "%s.allow", place->name);
	const struct place inside = {place->faults, name};
	entry->has_allow = true;
	consent_read(&inside, node, &entry->allow);
}

static void read_entry(
		struct faults *faults, const struct yaml_node *node, struct providers_lock *lock) {
	static const struct field fields[] = {
			{"source", FIELD_SPECIAL, .read = read_source},
			{"commit", FIELD_SPECIAL, .read = read_commit},
			{"tree", FIELD_SPECIAL, .read = read_tree},
			{"previous", FIELD_SPECIAL, .read = read_previous},
			{"allow", FIELD_SPECIAL, .read = read_allow},
	};
	if (!provider_name_valid(node->name)) {
		faults_add(faults, node->line,
				"providers: '%s' is no provider's name: 1 to %d of a-z, 0-9, '.', "
				"'_' and '-' are accepted",
				node->name, PROVIDER_NAME_MOST);
		return;
	}
	struct lock_entry *entry = providers_lock_add(lock, node->name);
	if (entry == NULL) {
		faults_add_no_memory(faults);
		return;
	}
	char name[256];
	snprintf(name, sizeof(name), "providers.%s", node->name);
	const struct place place = {faults, name};
	fields_read(&place, node, FIELDS(fields), UNKNOWN_REFUSED, "field", entry);
	if (yaml_tree_get(node, "source") == NULL) {
		faults_add(faults, node->line,
				"%s: has no source: add a line `source: "
				"https://host/repository@tag`",
				name);
	}
}

static void read_version(const struct place *place, const struct yaml_node *node, void *into) {
	int version = 0;
	(void)into;
	if (node_int(place, node, 1, INT32_MAX, &version) && version != VERSION) {
		place_fault(place, node,
				"%d was written by a newer conduitfs than this one, which reads "
				"%d: update it",
				version, VERSION);
	}
}

static void read_providers(const struct place *place, const struct yaml_node *node, void *into) {
	size_t n = 0;
	if (!yaml_node_is_null(node) && node->kind != YAML_KIND_MAP) {
		place_fault(place, node, "must be a map: a line `name:` each");
		return;
	}
	for (const struct yaml_node *member = node->first; member != NULL; member = member->next) {
		if (++n > ENTRIES_MOST) {
			place_fault(place, node, "has more than %d entries", ENTRIES_MOST);
			return;
		}
		read_entry(place->faults, member, into);
	}
}

static void read_root(
		struct faults *faults, const struct yaml_node *root, struct providers_lock *lock) {
	static const struct field fields[] = {
			{"version", FIELD_SPECIAL, .read = read_version},
			{"providers", FIELD_SPECIAL, .read = read_providers},
	};
	const struct place top = {faults, ""};
	if (yaml_node_is_null(root)) {
		return;
	}
	fields_read(&top, root, FIELDS(fields), UNKNOWN_REFUSED, "field", lock);
	if (yaml_tree_get(root, "version") == NULL) {
		faults_add(faults, 0, "no version: add a line `version: %d`", VERSION);
	}
}

/* Fills `ret` from what was parsed, unless there are faults. */
static bool finish_reading(struct faults *faults, const struct yaml_node *root, const char *path,
		struct providers_lock *ret, struct fail *fail) {
	cleanup(providers_lock_finish) struct providers_lock lock = {.path = strdup(path)};
	if (lock.path == NULL) {
		faults_add_no_memory(faults);
	}
	if (faults->n == 0) {
		read_root(faults, root, &lock);
	}
	if (!faults_report(faults, fail)) {
		return false;
	}
	*ret = lock;
	lock = (struct providers_lock){0};
	return true;
}

bool providers_lock_read(struct providers_lock *ret, const char *path, struct fail *fail) {
	cleanup_faults struct faults faults = {.file = path};
	cleanup_yaml_tree struct yaml_node *root = NULL;
	cleanup_fail struct fail why = {0};
	if (!yaml_tree_read(path, &faults, &root, &why) && why.code != ENOENT) {
		return fail_set(fail, why.code, "%s", fail_words(&why));
	}
	return finish_reading(&faults, root, path, ret, fail);
}

/* What is to be written must be what the next one can read. `text` is `written` as text. */
static bool can_be_read(const struct providers_lock *written, const struct buf *text,
		const char *path, struct fail *fail) {
	cleanup(providers_lock_finish) struct providers_lock lock = {0};
	cleanup_faults struct faults faults = {.file = path};
	cleanup_yaml_tree struct yaml_node *root = yaml_tree_parse(text->data, text->size, &faults);
	for (size_t i = 0; i < written->n_entries; i++) {
		const struct lock_entry *entry = &written->entries[i];
		if (!utf8_valid(entry->source, strlen(entry->source))) {
			faults_add(&faults, 0, "providers.%s.source: is not UTF-8", entry->name);
		}
	}
	return finish_reading(&faults, root, path, &lock, fail);
}

/* ---- changing ---- */

/* The advisory lock's descriptor, -1 with words. It lies beside the file, which is replaced. */
static int take_lock(const char *path, struct fail *fail) {
	cleanup_free char *name = NULL;
	if (asprintf(&name, "%s.lock", path) < 0) {
		name = NULL;
		fail_set(fail, ENOMEM, "%s: no memory", path);
		return -1;
	}
	cleanup_close int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0) {
		fail_set(fail, errno, "%s: %s", name, strerror(errno));
		return -1;
	}
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += LOOK_MS) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			fail_set(fail, errno, "%s: can't lock it: %s", name, strerror(errno));
			return -1;
		}
		if (waited >= WAIT_MS) {
			fail_set(fail, EBUSY,
					"%s: another conduitfs has been changing it for %d s: try "
					"again when it has ended",
					path, WAIT_MS / 1000);
			return -1;
		}
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
	}
	return take_fd(&fd);
}

bool providers_lock_edit(const char *path,
		bool (*change)(struct providers_lock *lock, void *data, struct fail *fail),
		void *data, struct fail *fail) {
	cleanup(providers_lock_finish) struct providers_lock lock = {0};
	cleanup_buf struct buf text = {0};
	if (!file_make_parents(path, fail)) {
		return false;
	}
	cleanup_close int held = take_lock(path, fail);
	if (held < 0 || !providers_lock_read(&lock, path, fail) || !change(&lock, data, fail)) {
		return false;
	}
	if (!lock_write(&lock, &text)) {
		return fail_set(fail, ENOMEM, "%s: no memory to write it", path);
	}
	return can_be_read(&lock, &text, path, fail) &&
	       file_replace(path, text.data, text.size, fail);
}
