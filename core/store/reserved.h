/* Every name of a model's own files, now or in a later version: a component of a model id that
 * equals one is percent-encoded, always, so that an address never changes its meaning. */
#ifndef CORE_STORE_RESERVED_H
#define CORE_STORE_RESERVED_H

#define RESERVED_NAMES                                                                             \
	"input", "output", "prompt", "status", "usage", "error", "rpc", "ctl", "estimate", "info", \
			"config", "attach", "turns", "sessions", "route", "models",                \
			"messages.json", "transcript.md", "artifacts", "budget", "reasoning"

#endif
