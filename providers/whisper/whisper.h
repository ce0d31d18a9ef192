/* What the files of the Whisper provider share: the three kinds of server. */
#ifndef WHISPER_H
#define WHISPER_H

#include <conduit/provider.h>

/* A turn must know which kind it speaks to: of a server with one model its id tells. */
#define ID_ASR "whisper-asr"
#define ID_CPP "whisper-cpp"

/* Finds out which kind of server answers, and its models. */
void whisper_discover(struct conduit_job *job);

#endif
