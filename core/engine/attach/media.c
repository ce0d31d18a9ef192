/* Types by content: see media.h. libmagic sees a bounded beginning only, and none of its parsers of
 * whole formats (archives, compressed files, office documents, programs): what these would tell,
 * no model takes anyhow. */
#include "core/engine/attach/media.h"

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/store/catalogue.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <magic.h>
#include <string.h>
#include <unistd.h>

#define CHECKS                                                                                     \
	(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS | MAGIC_NO_CHECK_TAR | MAGIC_NO_CHECK_ELF |     \
			MAGIC_NO_CHECK_CDF | MAGIC_NO_CHECK_TOKENS | MAGIC_NO_CHECK_JSON |         \
			MAGIC_NO_CHECK_CSV | MAGIC_NO_CHECK_APPTYPE)

#define UNKNOWN "application/octet-stream"

struct media {
	magic_t magic; /* NULL before the first use, and without a list */
	bool tried;
};

struct media *media_create(void) {
	return calloc(1, sizeof(struct media));
}

void media_destroy(struct media *media) {
	if (media != NULL && media->magic != NULL) {
		magic_close(media->magic);
	}
	free(media);
}

static magic_t list_of(struct media *media) {
	if (media->tried) {
		return media->magic;
	}
	media->tried = true;
	media->magic = magic_open(CHECKS);
	if (media->magic != NULL && magic_load(media->magic, NULL) != 0) {
		log_error("attachments: libmagic's list of types can't be read, so that only text "
			  "is known: %s",
				magic_error(media->magic));
		magic_close(media->magic);
		media->magic = NULL;
	}
	return media->magic;
}

/* ---- by content ---- */

/* UTF-8 without control characters that no text has; a character may be cut at the end. */
static bool is_text(const char *text, size_t size, bool whole) {
	size_t at = 0, length;
	while (at < size && (length = utf8_length(text + at, size - at)) != 0) {
		unsigned char c = (unsigned char)text[at];
		if (c == 0 || (c < 0x20 && strchr("\t\n\v\f\r\033\b", c) == NULL)) {
			return false;
		}
		at += length;
	}
	return at == size || (!whole && size - at < 4 && (unsigned char)text[at] >= 0xc2);
}

/* As the services name them. */
static const char *common_name(const char *type) {
	static const struct {
		const char *from, *to;
	} names[] = {
			{"audio/x-wav", "audio/wav"},
			{"audio/vnd.wave", "audio/wav"},
			{"audio/x-m4a", "audio/m4a"},
			{"audio/x-hx-aac-adts", "audio/aac"},
			{"audio/x-flac", "audio/flac"},
			{"audio/x-aiff", "audio/aiff"},
			{"application/ogg", "audio/ogg"},
			{"video/x-m4v", "video/mp4"},
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(type, names[i].from) == 0) {
			return names[i].to;
		}
	}
	return type;
}

/* A packet of MPEG's transport stream begins with 0x47 and has 188 bytes, of a camera's 4 before
 * them: programs may come in any order, by which libmagic would know one. */
static bool is_transport_stream(const char *bytes, size_t size) {
	static const struct { size_t first, step; } forms[] = {{0, 188}, {4, 192}};
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		size_t at = forms[i].first, n = 0;
		while (at < size && bytes[at] == 0x47 && n < 5) {
			at += forms[i].step;
			n++;
		}
		if (n == 5 || (n >= 2 && at == size + forms[i].first)) {
			return true;
		}
	}
	return false;
}

/* A tag before sound, which is MP3 as good as always; with a cover in it the sound itself may begin
 * far behind what is looked at. Its size is 28 bits, 7 a byte. */
static bool is_tagged(const char *bytes, size_t size) {
	bool tagged = size >= 10 && memcmp(bytes, "ID3", 3) == 0 && bytes[3] >= 2 && bytes[3] <= 4;
	for (size_t i = 6; tagged && i < 10; i++) {
		tagged = ((unsigned char)bytes[i] & 0x80) == 0;
	}
	return tagged;
}

/* What libmagic's list names no type of, by how it begins; NULL for the rest. */
static const char *type_beside_list(const char *bytes, size_t size) {
	static const struct {
		const char *begin, *type;
	} signs[] = {
			{"caff", "audio/x-caf"},
			{"wvpk", "audio/x-wavpack"},
			{"TTA1", "audio/x-tta"},
			{"nut/multimedia container", "video/x-nut"},
			{"DKIF", "video/x-ivf"},
	};
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		size_t length = strlen(signs[i].begin);
		if (size >= length && memcmp(bytes, signs[i].begin, length) == 0) {
			return signs[i].type;
		}
	}
	return is_tagged(bytes, size)		  ? "audio/mpeg"
	       : is_transport_stream(bytes, size) ? "video/mp2t"
						  : NULL;
}

void media_type(struct media *media, const void *bytes, size_t size, bool whole,
		char ret[MEDIA_TYPE_MOST]) {
	bool text = is_text(bytes, size, whole);
	/* A PDF may begin like text; anything else that is text is sent as such. */
	if (text && (size < 5 || memcmp(bytes, "%PDF-", 5) != 0)) {
		strcpy(ret, "text/plain");
		return;
	}
	magic_t magic = size != 0 ? list_of(media) : NULL;
	const char *found = magic != NULL ? magic_buffer(magic, bytes, size) : NULL;
	const char *type = found != NULL ? common_name(found) : UNKNOWN;
	if (strcmp(type, UNKNOWN) == 0 && (found = type_beside_list(bytes, size)) != NULL) {
		type = found;
	}
	if (starts_with(type, "text/")) {
		type = "";
	} else if (strchr(type, '/') == NULL || strlen(type) >= MEDIA_TYPE_MOST) {
		type = UNKNOWN;
	}
	strcpy(ret, type);
}

bool media_type_of(struct media *media, const char *path, char ret[MEDIA_TYPE_MOST],
		struct fail *fail) {
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	cleanup_free char *bytes = malloc(MEDIA_PREFIX_MOST);
	ssize_t got = fd >= 0 && bytes != NULL ? pread(fd, bytes, MEDIA_PREFIX_MOST, 0) : -1;
	if (got < 0) {
		return fail_set(fail, EIO, "it can't be read in the state directory: %s",
				strerror(errno));
	}
	media_type(media, bytes, (size_t)got, (size_t)got < MEDIA_PREFIX_MOST, ret);
	return true;
}

enum media_kind media_kind_of(const char *type) {
	return starts_with(type, "text/")    ? MEDIA_TEXT
	       : starts_with(type, "image/") ? MEDIA_IMAGE
	       : starts_with(type, "audio/") ? MEDIA_AUDIO
	       : starts_with(type, "video/") ? MEDIA_VIDEO
					     : MEDIA_FILE;
}

const char *media_extension(const char *type) {
	static const struct {
		const char *type, *extension;
	} extensions[] = {
			{"text/plain", "txt"},
			{"text/vtt", "vtt"},
			{"text/csv", "csv"},
			{"text/html", "html"},
			{"text/markdown", "md"},
			{"application/x-subrip", "srt"},
			{"application/json", "json"},
			{"application/pdf", "pdf"},
			{"application/zip", "zip"},
			{"image/png", "png"},
			{"image/jpeg", "jpg"},
			{"image/webp", "webp"},
			{"image/gif", "gif"},
			{"image/svg+xml", "svg"},
			{"image/avif", "avif"},
			{"image/tiff", "tiff"},
			{"image/bmp", "bmp"},
			{"audio/mpeg", "mp3"},
			{"audio/mp3", "mp3"},
			{"audio/wav", "wav"},
			{"audio/ogg", "ogg"},
			{"audio/opus", "opus"},
			{"audio/flac", "flac"},
			{"audio/aac", "aac"},
			{"audio/m4a", "m4a"},
			{"audio/mp4", "m4a"},
			{"audio/aiff", "aiff"},
			{"audio/x-caf", "caf"},
			{"audio/pcm", "pcm"},
			{"audio/l16", "pcm"},
			{"video/mp4", "mp4"},
			{"video/webm", "webm"},
			{"video/quicktime", "mov"},
			{"video/x-matroska", "mkv"},
			{"video/x-msvideo", "avi"},
			{"video/mp2t", "ts"},
			{"model/gltf-binary", "glb"},
	};
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
		if (strcmp(type, extensions[i].type) == 0) {
			return extensions[i].extension;
		}
	}
	return "bin";
}

/* "image/PNG; q=1" → "image/png"; "" for what is no type. */
static void bare_type(const char *said, char ret[MEDIA_TYPE_MOST]) {
	size_t size = strcspn(said, "; \t");
	ret[0] = '\0';
	for (size_t i = 0; i < size; i++) {
		if (size >= MEDIA_TYPE_MOST || (!isalnum((unsigned char)said[i]) &&
							       strchr("/+-._", said[i]) == NULL)) {
			return;
		}
	}
	if (memchr(said, '/', size) == NULL) {
		return;
	}
	for (size_t i = 0; i < size; i++) {
		ret[i] = (char)tolower((unsigned char)said[i]);
	}
	ret[size] = '\0';
	const char *common = common_name(ret);
	if (common != ret) {
		strcpy(ret, common);
	}
}

void media_settle(const char *said, const char *told, char ret[MEDIA_TYPE_MOST]) {
	char bare[MEDIA_TYPE_MOST];
	bare_type(said, bare);
	bool written = strcmp(told, "text/plain") == 0;
	/* "Bytes" says nothing of what can be told. */
	if (strcmp(bare, UNKNOWN) == 0 && !written) {
		bare[0] = '\0';
	}
	/* Samples without a head may look like anything; a drawing in text is an image. */
	bool headless = strcmp(bare, "audio/pcm") == 0 || strcmp(bare, "audio/l16") == 0;
	bool drawn = strcmp(bare, "image/svg+xml") == 0 && (written || strcmp(told, bare) == 0);
	bool lies = media_is_known(told) || starts_with(told, "model/") ||
		    (written && media_is_known(bare));
	bool believed = bare[0] != '\0' && (headless || drawn || !lies);
	snprintf(ret, MEDIA_TYPE_MOST, "%s", believed ? bare : told[0] != '\0' ? told : UNKNOWN);
}

bool media_is_known(const char *type) {
	enum media_kind kind = media_kind_of(type);
	return kind == MEDIA_IMAGE || kind == MEDIA_AUDIO || kind == MEDIA_VIDEO ||
	       strcmp(type, "application/pdf") == 0;
}

/* ---- models ---- */

static const struct {
	enum media_kind kind;
	/* What helps, where no model here is known to, for models that take `into`. */
	const char *modality, *said, *helps;
	unsigned into;
} kinds[] = {
		{MEDIA_TEXT, "text", "text", "", 0},
		{MEDIA_IMAGE, "image", "an image",
				"tesseract or a model of images makes text of it", MEDIA_TEXT},
		{MEDIA_AUDIO, "audio", "sound", "whisper or pocketsphinx makes text of it",
				MEDIA_TEXT},
		{MEDIA_VIDEO, "video", "video",
				"ffmpeg takes its pictures and its sound out, for models of these",
				MEDIA_TEXT | MEDIA_IMAGE | MEDIA_AUDIO},
		{MEDIA_FILE, "file", "a document",
				"pdftotext makes text of a PDF, pdftoppm images, and pandoc or "
				"libreoffice read other documents",
				MEDIA_TEXT | MEDIA_IMAGE},
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

bool media_lists(const char *modalities, const char *modality) {
	size_t length = strlen(modality);
	for (const char *at = modalities; at != NULL; at = strchr(at, ',')) {
		at += strspn(at, ", ");
		if (strncmp(at, modality, length) == 0 && !isalnum((unsigned char)at[length])) {
			return true;
		}
	}
	return false;
}

const char *media_untaken(const struct model_record *record, unsigned set) {
	const char *modalities = record != NULL ? record->input_modalities : "";
	for (size_t i = 0; modalities[0] != '\0' && i < N_KINDS; i++) {
		if ((set & kinds[i].kind) != 0 && !media_lists(modalities, kinds[i].modality)) {
			return kinds[i].modality;
		}
	}
	return NULL;
}

bool media_taken(const struct model_record *record, unsigned set) {
	return media_untaken(record, set) == NULL;
}

static size_t index_of(const char *type) {
	size_t i = 0;
	enum media_kind kind = media_kind_of(type);
	while (i + 1 < N_KINDS && kinds[i].kind != kind) {
		i++;
	}
	return i;
}

const char *media_modality(const char *type) {
	return kinds[index_of(type)].modality;
}

const char *media_said(const char *modality) {
	for (size_t i = 0; i < N_KINDS; i++) {
		if (strcmp(kinds[i].modality, modality) == 0) {
			return kinds[i].said;
		}
	}
	return modality;
}

/* Whether the model takes any kind of a set. */
static bool takes_any(const struct model_record *record, unsigned set) {
	for (size_t i = 0; i < N_KINDS; i++) {
		if ((set & kinds[i].kind) != 0 &&
				media_lists(record->input_modalities, kinds[i].modality)) {
			return true;
		}
	}
	return false;
}

bool media_refuse(const struct model_record *record, const char *what, const char *type,
		const char *converter, struct fail *fail) {
	size_t i = index_of(type);
	const char *helps = converter != NULL		       ? converter
			    : takes_any(record, kinds[i].into) ? kinds[i].helps
							       : "";
	bool attached = starts_with(what, "attach/");
	return fail_set(fail, EINVAL,
			"%.300s is %s (%s), which %s doesn't take: it takes %s. Choose a model "
			"whose info/input_modalities lists %s%s%s%s%.300s",
			what, kinds[i].said, type, record->id, record->input_modalities,
			kinds[i].modality, helps[0] != '\0' ? "; " : "", helps,
			attached ? "; to do without it: rm " : "", attached ? what : "");
}
