/* What a provider can do, by the names that are directories of capabilities/. */
#ifndef CORE_CONFIG_CAPABILITY_H
#define CORE_CONFIG_CAPABILITY_H

/* The canonical name ("text-to-text") of one as manifests have it: in upper case, with underscores,
 * or an alias (speech-to-text, transcription …). Static; NULL for an unknown one. */
const char *capability_find(const char *text);
/* The canonical name nearest to an unknown one, or NULL. */
const char *capability_nearest(const char *text);

#endif
