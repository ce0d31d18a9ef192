/* Fuzzes the reading of providers.lock, which may come from a stranger's repository: what is
 * accepted is written so that it is read as the same again. */
#include "core/base/text.h"
#include "core/config/config.h"
#include "core/config/lock_write.h"

#include "tests/fuzz/files/scratch_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
	struct providers_lock first = {0}, second = {0};
	struct buf once = {0}, twice = {0};
	struct fail fail = {0};
	if (providers_lock_read(&first, scratch_file(bytes, size), &fail)) {
		for (size_t i = 0; i < first.n_entries; i++) {
			CHECK(provider_name_valid(first.entries[i].name));
			CHECK(i == 0 || strcmp(first.entries[i - 1].name, first.entries[i].name) <
							0);
		}
		CHECK(lock_write(&first, &once));
		CHECK(providers_lock_read(&second,
				scratch_file((const uint8_t *)once.data, once.size), NULL));
		CHECK(lock_write(&second, &twice));
		CHECK(once.size == twice.size && memcmp(once.data, twice.data, once.size) == 0);
		CHECK(first.n_entries == second.n_entries);
		for (size_t i = 0; i < first.n_entries; i++) {
			CHECK(strcmp(first.entries[i].source, second.entries[i].source) == 0);
			CHECK(consent_covers(
					&first.entries[i].allow, &second.entries[i].allow, NULL));
			CHECK(consent_covers(
					&second.entries[i].allow, &first.entries[i].allow, NULL));
		}
	}
	buf_finish(&once);
	buf_finish(&twice);
	providers_lock_finish(&first);
	providers_lock_finish(&second);
	fail_finish(&fail);
	return 0;
}
