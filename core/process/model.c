/* Models that a provider found: strings made plain, numbers made sensible, then handed on. */
#include "core/base/limit.h"
#include "core/base/plain.h"
#include "core/base/text.h"
#include "core/process/internal.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Strings of a model that may need to be made plain. */
enum { NAME, DESCRIPTION, INPUT, OUTPUT, PARAMETERS, N_TEXTS };

bool model_add_raw(struct job *job, const struct wire_bytes *bytes, struct fail *fail) {
	struct process *process = job->process;
	if (job->raw.size + bytes->size > WIRE_RAW_MOST) {
		return fail_set(fail, EPROTO, "it gave more than 1 MiB about one model");
	}
	if (process->gathered + bytes->size > GATHERED_MOST) {
		return fail_set(fail, EPROTO, "it began too many requests and models at once");
	}
	if (!buf_add(&job->raw, bytes->bytes, bytes->size)) {
		fail_set(&job->doom, ENOMEM, "no memory for a model of provider %s",
				process->options.name);
		process_schedule(process);
		return true;
	}
	process->gathered += bytes->size;
	return true;
}

static bool is_plain(const char *text, bool keep_lines) {
	size_t size = strlen(text);
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];
		bool line = keep_lines && (byte == '\n' || byte == '\t');
		if ((byte < ' ' && !line) || byte >= 0x7f) {
			return false;
		}
	}
	return true;
}

/* The text, or a plain copy that `*copy` owns. */
static const char *plain(const char *text, bool keep_lines, char **copy) {
	if (is_plain(text, keep_lines)) {
		return text;
	}
	*copy = plain_text(text, strlen(text), WIRE_CHOICES_MOST, keep_lines);
	return *copy != NULL ? *copy : "";
}

bool model_add_limit(struct job *job, const struct wire_limit *limit, struct fail *fail) {
	enum { LIMIT_NAME, CHOICES, STANDARD, HELP, N_COPIES };
	char *copies[N_COPIES] = {NULL};
	const struct limit said = {.name = plain(limit->name, false, &copies[LIMIT_NAME]),
			.least = limit->least,
			.most = limit->most,
			.choices = plain(limit->choices, true, &copies[CHOICES]),
			.standard = plain(limit->standard, false, &copies[STANDARD]),
			.help = plain(limit->help, false, &copies[HELP])};
	cleanup_buf struct buf text = {.limit = LIMITS_BYTES_MOST};
	/* Made plain it may be longer than the provider counted: then it is left out. */
	if (limits_add(&text, &said) && text.size <= LIMITS_BYTES_MOST - job->limits.size &&
			buf_add(&job->limits, text.data, text.size)) {
		job->process->gathered += text.size;
	}
	for (size_t i = 0; i < N_COPIES; i++) {
		free(copies[i]);
	}
	return job->n_limits++ < LIMITS_MOST ||
	       fail_set(fail, EPROTO, "it gave more than %d limits of one model's settings",
			       LIMITS_MOST);
}

static size_t take_prices(struct job_price *prices, const struct wire_model *model) {
	size_t n = 0;
	for (uint32_t i = 0; i < model->n_prices; i++) {
		double usd = model->prices[i].usd;
		if (!isfinite(usd) || !is_plain(model->prices[i].name, false)) {
			continue;
		}
		/* A negative price is what a service says when it can't say. */
		prices[n].usd = usd < 0 ? -1 : usd;
		snprintf(prices[n].name, sizeof(prices[n].name), "%s", model->prices[i].name);
		n++;
	}
	return n;
}

static int64_t at_least_zero(int64_t value) {
	return value > 0 ? value : 0;
}

void model_emit(struct job *job, const struct wire_model *model) {
	_Static_assert(WIRE_PRICES_MOST == JOB_PRICES_MOST, "one bound of prices");
	struct process *process = job->process;
	struct job_price prices[JOB_PRICES_MOST];
	char *copies[N_TEXTS] = {NULL};
	/* Taken from the job, which the event may end. */
	struct buf raw cleanup_buf = job->raw;
	job->raw = (struct buf){0};
	struct buf limits cleanup_buf = job->limits;
	job->limits = (struct buf){0};
	job->n_limits = 0;
	process->gathered -= raw.size + limits.size;
	struct job_model found = {.id = model->id,
			.id_size = model->id_size,
			.name = plain(model->name, false, &copies[NAME]),
			.description = plain(model->description, true, &copies[DESCRIPTION]),
			.created = at_least_zero(model->created),
			.context_length = at_least_zero(model->context_length),
			.max_output = at_least_zero(model->max_output),
			.input_modalities = plain(model->input_modalities, false, &copies[INPUT]),
			.output_modalities = plain(
					model->output_modalities, false, &copies[OUTPUT]),
			.parameters = plain(model->parameters, false, &copies[PARAMETERS]),
			.prices = prices,
			.n_prices = take_prices(prices, model),
			.raw = buf_string(&raw),
			.raw_size = raw.size,
			.limits = buf_string(&limits)};
	if (job->events.model != NULL) {
		job->events.model(job->data, &found);
	}
	for (size_t i = 0; i < N_TEXTS; i++) {
		free(copies[i]);
	}
}
