/* The shape of the database, one step a version. A step that was ever released is never edited:
 * what changes is a new step. */
#include "core/store/database.h"

/* place: `shown` is a hint that spares loading what is gone; `kept`: the user made it by mkdir.
 * record: what is known of a model, apart from place so that loading the tree reads little; `raw`
 * last, so that reading the rest doesn't touch its pages.
 * setting and turn name a place without a reference: they outlive whatever happens to it. */
static const char first_step[] =
		"CREATE TABLE place("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" parent INTEGER REFERENCES place(id),"
		" name TEXT NOT NULL,"
		" shown INTEGER NOT NULL DEFAULT 1,"
		" model INTEGER NOT NULL DEFAULT 0,"
		" free INTEGER NOT NULL DEFAULT 0,"
		" chat INTEGER NOT NULL DEFAULT 0,"
		" kept INTEGER NOT NULL DEFAULT 0,"
		" created INTEGER NOT NULL DEFAULT 0,"
		" hash INTEGER NOT NULL DEFAULT 0,"
		" UNIQUE(parent, name)) STRICT;"
		"INSERT INTO place(id, parent, name) VALUES(1, NULL, '');"
		"CREATE TABLE record("
		" place INTEGER PRIMARY KEY REFERENCES place(id),"
		" id BLOB NOT NULL,"
		" name TEXT NOT NULL,"
		" description TEXT NOT NULL,"
		" created INTEGER NOT NULL,"
		" context_length INTEGER NOT NULL,"
		" max_output INTEGER NOT NULL,"
		" input_modalities TEXT NOT NULL,"
		" output_modalities TEXT NOT NULL,"
		" parameters TEXT NOT NULL,"
		" prices TEXT NOT NULL,"
		" raw BLOB NOT NULL) STRICT;"
		"CREATE TABLE refresh("
		" place INTEGER PRIMARY KEY REFERENCES place(id),"
		" finished INTEGER NOT NULL DEFAULT 0,"
		" why TEXT NOT NULL DEFAULT '') STRICT;"
		"CREATE TABLE setting("
		" place INTEGER NOT NULL,"
		" name TEXT NOT NULL,"
		" value TEXT NOT NULL,"
		" PRIMARY KEY(place, name)) STRICT, WITHOUT ROWID;"
		"CREATE TABLE link("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" name TEXT NOT NULL UNIQUE,"
		" target TEXT NOT NULL,"
		" made INTEGER NOT NULL) STRICT;"
		"CREATE TABLE turn("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" place INTEGER NOT NULL,"
		" number INTEGER NOT NULL,"
		" previous INTEGER NOT NULL,"
		" state INTEGER NOT NULL,"
		" submitted INTEGER NOT NULL,"
		" started INTEGER NOT NULL,"
		" first_byte INTEGER NOT NULL,"
		" finished INTEGER NOT NULL,"
		" prompt_size INTEGER NOT NULL,"
		" output_size INTEGER NOT NULL,"
		" code INTEGER NOT NULL,"
		" words TEXT NOT NULL,"
		" finish TEXT NOT NULL,"
		" model TEXT NOT NULL,"
		" provider TEXT NOT NULL,"
		" http_status INTEGER NOT NULL,"
		" prompt_tokens INTEGER NOT NULL,"
		" completion_tokens INTEGER NOT NULL,"
		" reasoning_tokens INTEGER NOT NULL,"
		" cached_tokens INTEGER NOT NULL,"
		" cost INTEGER NOT NULL,"
		" cost_source TEXT NOT NULL,"
		" overhead_us INTEGER NOT NULL,"
		" UNIQUE(place, number)) STRICT;"
		/* The ledger: all that a sum needs lies in the index. */
		"CREATE INDEX turn_finished ON turn(finished, cost, prompt_tokens, "
		"completion_tokens)"
		" WHERE finished > 0;"
		/* Few at any time; what a start has to look for. */
		"CREATE INDEX turn_unfinished ON turn(state) WHERE state IN (1, 2, 3);";

/* Sessions, routes and groups are places too: 0 stands for what a place is by its depth. */
static const char annex_step[] = "ALTER TABLE place ADD COLUMN kind INTEGER NOT NULL DEFAULT 0;"
				 "CREATE INDEX place_annex ON place(parent) WHERE kind<>0;";

/* What a session was goes with it, in slices: see forget.c. turn: `imported` has a history in place
 * of a prompt and an answer; `origin` is the turn whose output went into its prompt.
 * ended: places whose turns are still to be forgotten; forgotten: turns whose files are. */
static const char session_step[] =
		"ALTER TABLE turn ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;"
		"ALTER TABLE turn ADD COLUMN origin INTEGER NOT NULL DEFAULT 0;"
		"CREATE TABLE ended(place INTEGER PRIMARY KEY) STRICT;"
		"CREATE TABLE forgotten(turn INTEGER PRIMARY KEY) STRICT;"
		"CREATE TRIGGER annex_ends AFTER DELETE ON place WHEN old.kind<>0 BEGIN"
		" INSERT INTO ended(place) VALUES(old.id);"
		" DELETE FROM setting WHERE place=old.id; END;"
		"CREATE TRIGGER turn_goes AFTER DELETE ON turn BEGIN"
		" INSERT INTO forgotten(turn) VALUES(old.id); END;";

/* What a start has to remember of the one before it. */
static const char mark_step[] = "CREATE TABLE mark("
				" name TEXT PRIMARY KEY,"
				" value INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* What routing asks of each model at once. NULL in `able`: a row from before, completed at the next
 * start. */
static const char able_step[] =
		"ALTER TABLE place ADD COLUMN able INTEGER;"
		"ALTER TABLE place ADD COLUMN price_prompt REAL;"
		"ALTER TABLE place ADD COLUMN price_completion REAL;"
		"ALTER TABLE place ADD COLUMN priced INTEGER NOT NULL DEFAULT 0;"
		"CREATE INDEX place_incomplete ON place(id) WHERE model=1 AND able IS NULL;";

/* id: a place's, or a number below 0 that the engine makes of a provider's. */
static const char health_step[] = "CREATE TABLE health("
				  " id INTEGER PRIMARY KEY,"
				  " success INTEGER NOT NULL,"
				  " failure INTEGER NOT NULL,"
				  " error_rate REAL NOT NULL,"
				  " latency REAL NOT NULL,"
				  " back_off INTEGER NOT NULL,"
				  " streak INTEGER NOT NULL,"
				  " code INTEGER NOT NULL,"
				  " words TEXT NOT NULL) STRICT;";

/* ledger: an entry for each turn's end; none is ever changed or removed, so that it outlives turns.
 * `settles`: states a cost that wasn't known at the end. `day`: the local date of the end as
 * yyyymmdd, as the clock stood then, so that each entry counts on one day for ever.
 * reservation: what was sent and hasn't ended; after a crash it is all that is known.
 * usage: the ledger's sums by day, month (yyyymm) and in all (0), kept by the trigger so that
 * nobody ever walks the ledger. A sum stops at the end of its range: an overflow would refuse the
 * entry. */
static const char ledger_step[] =
		"CREATE TABLE ledger("
		" id INTEGER PRIMARY KEY,"
		" turn INTEGER NOT NULL,"
		" place INTEGER NOT NULL,"
		" provider TEXT NOT NULL,"
		" model TEXT NOT NULL,"
		" reserved INTEGER NOT NULL,"
		" settles INTEGER NOT NULL,"
		" finished INTEGER NOT NULL,"
		" day INTEGER NOT NULL,"
		" prompt_tokens INTEGER NOT NULL,"
		" completion_tokens INTEGER NOT NULL,"
		" reasoning_tokens INTEGER NOT NULL,"
		" cached_tokens INTEGER NOT NULL,"
		" cost INTEGER NOT NULL,"
		" source TEXT NOT NULL,"
		" UNIQUE(turn, settles)) STRICT;"
		"CREATE INDEX ledger_place ON ledger(place, day);"
		"CREATE TABLE reservation("
		" turn INTEGER PRIMARY KEY,"
		" place INTEGER NOT NULL,"
		" provider TEXT NOT NULL,"
		" model TEXT NOT NULL,"
		" reserved INTEGER NOT NULL) STRICT;"
		"CREATE TABLE usage("
		" period INTEGER NOT NULL,"
		" provider TEXT NOT NULL,"
		" model TEXT NOT NULL,"
		" turns INTEGER NOT NULL,"
		" prompt_tokens INTEGER NOT NULL,"
		" completion_tokens INTEGER NOT NULL,"
		" cost INTEGER NOT NULL,"
		" unpriced INTEGER NOT NULL,"
		" bound INTEGER NOT NULL,"
		" PRIMARY KEY(period, provider, model)) STRICT, WITHOUT ROWID;"
		"CREATE TRIGGER ledger_sums AFTER INSERT ON ledger BEGIN"
		" INSERT INTO usage SELECT period.column1, NEW.provider, NEW.model,"
		" CASE WHEN NEW.settles THEN 0 ELSE 1 END,"
		" max(NEW.prompt_tokens, 0), max(NEW.completion_tokens, 0), max(NEW.cost, 0),"
		" CASE WHEN NEW.settles THEN -1 WHEN NEW.cost<0 THEN 1 ELSE 0 END,"
		" CASE WHEN NEW.settles THEN -max(NEW.reserved, 0)"
		"  WHEN NEW.cost<0 THEN max(NEW.reserved, 0) ELSE 0 END"
		" FROM (VALUES(0), (NEW.day/100), (NEW.day)) AS period WHERE true"
		" ON CONFLICT DO UPDATE SET"
		" turns=turns+excluded.turns,"
		" prompt_tokens=CASE WHEN prompt_tokens>9223372036854775807-excluded.prompt_tokens"
		"  THEN 9223372036854775807 ELSE prompt_tokens+excluded.prompt_tokens END,"
		" completion_tokens=CASE"
		"  WHEN completion_tokens>9223372036854775807-excluded.completion_tokens"
		"  THEN 9223372036854775807 ELSE completion_tokens+excluded.completion_tokens END,"
		" cost=CASE WHEN cost>9223372036854775807-excluded.cost"
		"  THEN 9223372036854775807 ELSE cost+excluded.cost END,"
		" unpriced=unpriced+excluded.unpriced,"
		" bound=CASE WHEN bound>9223372036854775807-max(excluded.bound, 0)"
		"  THEN 9223372036854775807 ELSE bound+excluded.bound END;"
		"END;"
		"CREATE TRIGGER ledger_unchanged BEFORE UPDATE ON ledger BEGIN"
		" SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
		"CREATE TRIGGER ledger_unremoved BEFORE DELETE ON ledger BEGIN"
		" SELECT RAISE(ABORT, 'the ledger is append-only'); END;"
		/* Until now the turns themselves were the ledger. */
		"INSERT INTO ledger(turn, place, provider, model, reserved, settles, finished, day,"
		" prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, source)"
		" SELECT id, place, provider, model, -1, 0, finished,"
		" ifnull(CAST(strftime('%Y%m%d', finished/1000000, 'unixepoch', 'localtime')"
		"  AS INTEGER), 19700101),"
		" prompt_tokens, completion_tokens, reasoning_tokens, cached_tokens, cost, "
		"cost_source"
		" FROM turn WHERE finished>0 AND state NOT IN (1, 2, 3) ORDER BY id;"
		"INSERT INTO reservation SELECT id, place, provider, model, -1 FROM turn"
		" WHERE state IN (1, 2, 3);"
		"DROP INDEX turn_finished;";

/* A link stands in the root or in a group, whose end takes its links along. */
static const char group_step[] =
		"CREATE TABLE link_below("
		" id INTEGER PRIMARY KEY AUTOINCREMENT,"
		" parent INTEGER NOT NULL,"
		" name TEXT NOT NULL,"
		" target TEXT NOT NULL,"
		" made INTEGER NOT NULL,"
		" UNIQUE(parent, name)) STRICT;"
		"INSERT INTO link_below SELECT id, 1, name, target, made FROM link;"
		"DELETE FROM sqlite_sequence WHERE name='link_below';"
		"INSERT INTO sqlite_sequence(name, seq)"
		" SELECT 'link_below', seq FROM sqlite_sequence WHERE name='link';"
		"DROP TABLE link;"
		"ALTER TABLE link_below RENAME TO link;"
		"CREATE TRIGGER group_ends AFTER DELETE ON place WHEN old.kind=5 BEGIN"
		" DELETE FROM link WHERE parent=old.id; END;";

/* Answers that may be given again: what their request is known by. */
static const char answer_step[] =
		"ALTER TABLE turn ADD COLUMN answer_key TEXT NOT NULL DEFAULT '';"
		"ALTER TABLE turn ADD COLUMN cached_from INTEGER NOT NULL DEFAULT 0;"
		"CREATE INDEX turn_answer ON turn(answer_key) WHERE answer_key<>'';";

/* What retention goes by. kept: the bytes that all turns take on the disk. numbering: the last
 * number of a place whose newest turns are gone, so that none is given twice. */
static const char kept_step[] =
		"ALTER TABLE turn ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;"
		"UPDATE turn SET bytes=max(prompt_size, 0)+max(output_size, 0)"
		" WHERE prompt_size<4611686018427387904 AND output_size<4611686018427387904;"
		"CREATE INDEX turn_ended ON turn(finished, id) WHERE finished>0;"
		"CREATE INDEX turn_continues ON turn(previous) WHERE previous<>0;"
		"CREATE TABLE kept(id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL) STRICT;"
		"INSERT INTO kept SELECT 1, CAST(min(total(bytes), 1e18) AS INTEGER) FROM turn;"
		"CREATE TRIGGER kept_more AFTER INSERT ON turn WHEN new.bytes<>0 BEGIN"
		" UPDATE kept SET bytes=bytes+new.bytes; END;"
		"CREATE TRIGGER kept_other AFTER UPDATE OF bytes ON turn"
		" WHEN new.bytes<>old.bytes BEGIN"
		" UPDATE kept SET bytes=bytes+new.bytes-old.bytes; END;"
		"CREATE TRIGGER kept_less AFTER DELETE ON turn BEGIN"
		" UPDATE kept SET bytes=max(bytes-old.bytes, 0); END;"
		"CREATE TABLE numbering(place INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;"
		"CREATE TRIGGER turn_numbered AFTER DELETE ON turn"
		" WHEN EXISTS(SELECT 1 FROM place WHERE id=old.place) BEGIN"
		" INSERT INTO numbering(place, last) VALUES(old.place, old.number)"
		" ON CONFLICT(place) DO UPDATE SET last=max(last, excluded.last); END;"
		"CREATE TRIGGER numbering_ends AFTER DELETE ON place BEGIN"
		" DELETE FROM numbering WHERE place=old.id; END;";

/* A link that the daemon made, by config.yml or by default. */
static const char alias_step[] = "ALTER TABLE link ADD COLUMN alias INTEGER NOT NULL DEFAULT 0;";

/* Files that go along with a prompt: turn 0 while one waits at its place; with a turn, place 0. */
static const char attachment_step[] = "CREATE TABLE attachment("
				      " id INTEGER PRIMARY KEY AUTOINCREMENT,"
				      " place INTEGER NOT NULL,"
				      " turn INTEGER NOT NULL,"
				      " name TEXT NOT NULL,"
				      " target TEXT NOT NULL,"
				      " type TEXT NOT NULL,"
				      " UNIQUE(turn, place, name)) STRICT;"
				      "CREATE TRIGGER turn_detached AFTER DELETE ON turn BEGIN"
				      " DELETE FROM attachment WHERE turn=old.id; END;";

/* A turn's job that goes on elsewhere, by whatever its provider picks it up again. */
static const char job_step[] = "CREATE TABLE job("
			       " turn INTEGER PRIMARY KEY,"
			       " model INTEGER NOT NULL,"
			       " token TEXT NOT NULL) STRICT;"
			       "CREATE TRIGGER job_ends AFTER UPDATE OF state ON turn"
			       " WHEN new.state NOT IN (1, 2, 3) BEGIN"
			       " DELETE FROM job WHERE turn=new.id; END;"
			       "CREATE TRIGGER job_goes AFTER DELETE ON turn BEGIN"
			       " DELETE FROM job WHERE turn=old.id; END;";

/* What models say of their settings, as limit.h writes it: not in `record`, behind whose `raw` it
 * would lie. */
static const char limits_step[] = "CREATE TABLE model_limits("
				  " place INTEGER PRIMARY KEY REFERENCES place(id),"
				  " limits TEXT NOT NULL) STRICT;";

/* `priced` is only what states a price other than 0: each row is completed anew. */
static const char priced_step[] = "UPDATE place SET able=NULL WHERE model=1 AND priced<>0;";

const char *const database_steps[] = {first_step, annex_step, session_step, mark_step, able_step,
		health_step, ledger_step, group_step, answer_step, kept_step, alias_step,
		attachment_step, job_step, limits_step, priced_step};
const size_t database_n_steps = sizeof(database_steps) / sizeof(database_steps[0]);
