/* The codec of the messages between daemon and provider. */
#include "tests/unit/process/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Where the payload's size stands in a message. */
#define SIZE_AT 9
#define HEADER 13

static void encode(struct buf *packet, size_t sample) {
	*packet = (struct buf){0};
	assert_true(wire_encode(packet, &samples[sample]));
}

/* Decodes bytes in memory of exactly their size, so that a sanitizer sees any read behind them. */
static bool decodes(const void *bytes, size_t size) {
	uint8_t *exact = malloc(size > 0 ? size : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, size);
	const uint8_t *at = exact;
	size_t left = size;
	struct wire_message message;
	bool decoded = wire_decode(&at, &left, &message);
	if (decoded) {
		assert_int_equal(left, 0);
	}
	free(exact);
	return decoded;
}

static void set_size(struct buf *packet, size_t payload) {
	uint32_t size = (uint32_t)payload;
	memcpy(packet->data + SIZE_AT, &size, sizeof(size));
}

static void every_message_comes_back_as_it_went(void **state) {
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct buf packet, again = {0};
		encode(&packet, i);
		const uint8_t *at = (const uint8_t *)packet.data;
		size_t left = packet.size;
		struct wire_message message;
		assert_true(wire_decode(&at, &left, &message));
		assert_int_equal(left, 0);
		assert_int_equal(message.type, samples[i].type);
		assert_int_equal(message.job, samples[i].job);
		/* Each field that is walked once is walked the second time. */
		assert_true(wire_encode(&again, &message));
		assert_int_equal(again.size, packet.size);
		assert_memory_equal(again.data, packet.data, packet.size);
		buf_finish(&packet);
		buf_finish(&again);
	}
}

static void every_truncation_is_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct buf packet;
		encode(&packet, i);
		for (size_t size = 0; size < packet.size; size++) {
			assert_false(decodes(packet.data, size));
		}
		buf_finish(&packet);
	}
}

static void every_shortened_payload_is_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		struct buf packet;
		encode(&packet, i);
		for (size_t size = HEADER; size < packet.size; size++) {
			set_size(&packet, size - HEADER);
			assert_false(decodes(packet.data, size));
		}
		buf_finish(&packet);
	}
}

static void every_extension_by_a_byte_is_refused(void **state) {
	(void)state;
	for (size_t i = 0; i < N_SAMPLES; i++) {
		for (int byte = 0; byte < 256; byte += 5) {
			struct buf packet;
			encode(&packet, i);
			assert_true(buf_add_byte(&packet, (char)byte));
			set_size(&packet, packet.size - HEADER);
			assert_false(decodes(packet.data, packet.size));
			buf_finish(&packet);
		}
	}
}

static void an_unknown_type_is_refused(void **state) {
	(void)state;
	for (int type = 0; type < 256; type++) {
		bool known = (type >= WIRE_HELLO && type <= WIRE_CANCEL) ||
			     (type >= WIRE_REFUSED && type <= WIRE_ACK) || type == WIRE_LIMIT ||
			     type == WIRE_RESULT_END;
		char bytes[HEADER] = {(char)type};
		if (!known) {
			assert_false(decodes(bytes, sizeof(bytes)));
		}
	}
}

static bool encodes(struct wire_message message) {
	struct buf packet = {0};
	bool encoded = wire_encode(&packet, &message);
	assert_true(encoded || packet.size == 0);
	buf_finish(&packet);
	return encoded;
}

static void values_outside_their_range_are_refused(void **state) {
	(void)state;
	char long_name[300];
	memset(long_name, 'n', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_false(encodes((struct wire_message){.type = WIRE_FAIL, .fail = {14, 0, 0, ""}}));
	assert_false(encodes((struct wire_message){.type = WIRE_FAIL, .fail = {0, 0, 2, ""}}));
	assert_false(encodes((struct wire_message){.type = WIRE_MESSAGE, .message = {.role = 3}}));
	assert_false(encodes((struct wire_message){
			.type = WIRE_REQUEST_PART, .request_part = {1, 0, "x", 1}}));
	assert_false(encodes((struct wire_message){.type = WIRE_MODEL, .model = {.id = ""}}));
	assert_false(encodes((struct wire_message){.type = WIRE_LIMIT, .limit = {.name = ""}}));
	assert_false(encodes((struct wire_message){
			.type = WIRE_MODEL, .model = {.id = "a\0b", .id_size = 3}}));
	assert_false(encodes(
			(struct wire_message){.type = WIRE_FINISH, .finish = {long_name, ""}}));
	assert_true(encodes((struct wire_message){.type = WIRE_FINISH, .finish = {NULL, NULL}}));
}

static void a_string_with_a_nul_inside_is_refused(void **state) {
	(void)state;
	struct buf packet = {0};
	struct wire_message message = {.type = WIRE_LOG, .words = {"a line"}};
	assert_true(wire_encode(&packet, &message));
	packet.data[HEADER + 4 + 2] = '\0';
	assert_false(decodes(packet.data, packet.size));
	buf_finish(&packet);
}

static void many_messages_share_a_packet_until_it_is_full(void **state) {
	(void)state;
	struct buf packet = {0};
	size_t n = 0;
	struct wire_message message = {.type = WIRE_OUTPUT, .job = 3, .bytes = {"0123456789", 10}};
	while (wire_encode(&packet, &message)) {
		n++;
	}
	assert_true(packet.size <= WIRE_PACKET_MOST);
	assert_int_equal(n, WIRE_PACKET_MOST / 27);
	const uint8_t *at = (const uint8_t *)packet.data;
	size_t left = packet.size;
	while (left > 0) {
		assert_true(wire_decode(&at, &left, &message));
		n--;
	}
	assert_int_equal(n, 0);
	buf_finish(&packet);
}

int main(void) {
	const struct CMUnitTest tests[] = {
			cmocka_unit_test(every_message_comes_back_as_it_went),
			cmocka_unit_test(every_truncation_is_refused),
			cmocka_unit_test(every_shortened_payload_is_refused),
			cmocka_unit_test(every_extension_by_a_byte_is_refused),
			cmocka_unit_test(an_unknown_type_is_refused),
			cmocka_unit_test(values_outside_their_range_are_refused),
			cmocka_unit_test(a_string_with_a_nul_inside_is_refused),
			cmocka_unit_test(many_messages_share_a_packet_until_it_is_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
