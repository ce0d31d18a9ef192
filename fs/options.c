/* Reading the command line: see options.h. */
#include "fs/options.h"

#include "core/base/buf.h"
#include "core/base/text.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <string.h>

void options_print_help(void) {
	printf("Usage: conduitfs [mount] [-f] [-d] [-o OPTIONS] [--config FILE] MOUNTPOINT\n"
	       "Mounts AI models as files. Ends with: fusermount3 -u MOUNTPOINT\n"
	       "\n"
	       "  -f             stay in the foreground\n"
	       "  -d             the same, and print each request of the kernel\n"
	       "  -o OPTIONS     mount options, comma-separated (see fuse(8)); allow_other and\n"
	       "                 allow_root aren't among them\n"
	       "  --config FILE  instead of $XDG_CONFIG_HOME/conduitfs/config.yml\n"
	       "  --help         this\n"
	       "  --version      the version\n"
	       "\n"
	       "conduitfs provider SUBCOMMAND writes, checks and pins providers: see\n"
	       "conduitfs provider --help.\n"
	       "\n"
	       "The manual: man conduitfs; the files: man 5 conduitfs.\n");
}

/* dev, suid and exec too: mount(8) adds them for root, and the tree stays without. */
static bool only_in_fstab(const char *option) {
	static const char *const names[] = {"_netdev", "noauto", "auto", "nofail", "user", "users",
			"nouser", "defaults", "dev", "suid", "exec"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(option, names[i]) == 0) {
			return true;
		}
	}
	return starts_with(option, "x-") || starts_with(option, "comment=");
}

/* Checks each of `list` and appends those that are FUSE's to `out`. */
static bool add_mount_options(struct buf *out, const char *list, struct fail *fail) {
	cleanup_free char *copy = strdup(list);
	char *rest = copy;
	char *option;
	if (copy == NULL) {
		return fail_set(fail, ENOMEM, "no memory");
	}
	while ((option = strsep(&rest, ",")) != NULL) {
		if (strcmp(option, "allow_other") == 0 || strcmp(option, "allow_root") == 0) {
			return fail_set(fail, EINVAL,
					"-o %s isn't supported: every user of the mount would "
					"spend "
					"with your keys; each user mounts a tree of their own",
					option);
		}
		if (option[0] != '\0' && !only_in_fstab(option)) {
			buf_add_format(out, "%s%s", out->size > 0 ? "," : "", option);
		}
	}
	return !out->failed || fail_set(fail, ENOMEM, "no memory");
}

static bool absolute(const char *path, const char *what, char **ret, struct fail *fail) {
	*ret = realpath(path, NULL);
	if (*ret != NULL) {
		return true;
	}
	if (errno == ENOTCONN) {
		/* A mount whose daemon died can't be resolved; taken as it is written. */
		char *directory = path[0] == '/' ? NULL : getcwd(NULL, 0);
		int length = directory != NULL ? asprintf(ret, "%s/%s", directory, path)
					       : asprintf(ret, "%s", path);
		free(directory);
		return length >= 0 || fail_set(fail, ENOMEM, "no memory");
	}
	return fail_set(fail, errno, "%s %s: %s%s", what, path, strerror(errno),
			errno == ENOENT && strcmp(what, "mountpoint") == 0
					? "; make it first: mkdir"
					: "");
}

static bool read_flags(struct options *ret, int argc, char **argv, struct buf *mount_options,
		struct fail *fail) {
	static const struct option longs[] = {
			{"help", no_argument, NULL, 'h'},
			{"version", no_argument, NULL, 'V'},
			{"config", required_argument, NULL, 'c'},
			{"foreground", no_argument, NULL, 'f'},
			{0},
	};
	int flag;
	opterr = 0;
	while ((flag = getopt_long(argc, argv, ":fdo:hVc:", longs, NULL)) != -1) {
		switch (flag) {
		case 'd':
			ret->debug = true;
			ret->foreground = true;
			break;
		case 'f':
			ret->foreground = true;
			break;
		case 'o':
			if (!add_mount_options(mount_options, optarg, fail)) {
				return false;
			}
			break;
		case 'c':
			free(ret->config);
			if (!absolute(optarg, "config file", &ret->config, fail)) {
				return false;
			}
			break;
		case 'h':
			ret->help = true;
			return true;
		case 'V':
			ret->version = true;
			return true;
		case ':':
			return fail_set(fail, EINVAL, "%s needs a value; see --help",
					argv[optind - 1]);
		default:
			return fail_set(fail, EINVAL, "unknown option '%s'; see --help",
					argv[optind - 1]);
		}
	}
	return true;
}

bool options_read(struct options *ret, int argc, char **argv, struct fail *fail) {
	cleanup_buf struct buf mount_options = {0};
	if (argc > 1 && strcmp(argv[1], "mount") == 0) {
		argv++;
		argc--;
	}
	if (!read_flags(ret, argc, argv, &mount_options, fail)) {
		return false;
	}
	if (ret->help || ret->version) {
		return true;
	}
	int left = argc - optind;
	if (left == 0) {
		return fail_set(fail, EINVAL, "where to mount? conduitfs MOUNTPOINT; see --help");
	}
	/* mount(8) gives the source of /etc/fstab first. */
	if (left > 2) {
		return fail_set(fail, EINVAL, "one mountpoint is enough: '%s'; see --help",
				argv[optind + 2]);
	}
	ret->fuse_options = strdup(buf_string(&mount_options));
	return (ret->fuse_options != NULL || fail_set(fail, ENOMEM, "no memory")) &&
	       absolute(argv[argc - 1], "mountpoint", &ret->mountpoint, fail);
}

void options_finish(struct options *options) {
	free(options->mountpoint);
	free(options->config);
	free(options->fuse_options);
}
