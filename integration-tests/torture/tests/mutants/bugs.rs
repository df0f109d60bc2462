//! The bugs: what stands in the scripts instead of what.

/// What is wrong, and how it is planted.
pub(crate) struct Mutant {
    pub(crate) bug: &'static str,
    /// What stands in the scripts instead of what.
    pub(crate) texts: &'static [(&'static str, &'static str)],
    pub(crate) beside: Beside,
}

/// What is wrong outside of the scripts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beside {
    Nothing,
    /// The user's index is not written.
    NoIndex,
    /// The user's index is written after the competition has decided, and the service is killed between.
    IndexLate,
    /// How many are in is asked before the script runs, and the script believes it.
    CountsBefore,
    /// Who reads a competition counts nobody who waits.
    NobodyWaits,
    /// Who reads a competition takes the length of its revision, 1 or 2 digits, for the revision.
    OldRevision,
}

pub(crate) const fn in_scripts(
    bug: &'static str,
    texts: &'static [(&'static str, &'static str)],
) -> Mutant {
    Mutant {
        bug,
        texts,
        beside: Beside::Nothing,
    }
}

pub(crate) const MUTANTS: &[Mutant] = &[
    in_scripts(
        "a repeated request is decided again",
        &[(
            "if not revision then return nil end",
            "if true then return nil end",
        )],
    ),
    in_scripts(
        "a repeated request is answered with another state",
        &[(
            "registration_reply(word, first, revision, entry.after,",
            "registration_reply(word, first, revision, 'confirmed',",
        )],
    ),
    in_scripts(
        "a repeated request is answered with another place in the queue",
        &[(
            "registration_reply(word, first, revision, entry.after,",
            "registration_reply(word, first, revision, (string.gsub(entry.after, '%d+', '7')),",
        )],
    ),
    in_scripts(
        "the requests of who has left are forgotten",
        &[(
            "record.requests = with_request(record.requests, exit.request,",
            "record.requests = with_request('', exit.request,",
        )],
    ),
    in_scripts(
        "an organiser's repeated request is decided again",
        &[(
            "if #kept == 0 then return nil end\n  local fields = {}",
            "if true then return nil end\n  local fields = {}",
        )],
    ),
    in_scripts(
        "the last in the queue is promoted",
        &[(
            "redis.call('ZRANGE', WAITLIST, 0, count - 1)",
            "redis.call('ZRANGE', WAITLIST, 0, count - 1, 'REV')",
        )],
    ),
    in_scripts(
        "a newcomer takes the place that the queue waits for",
        &[
            ("waited and {} or next_in_queue(competition)", "{}"),
            (
                "if #queue == 0 then return false end",
                "if true then return false end",
            ),
            ("(competition.waiting == 0 and ", "(true and "),
        ],
    ),
    in_scripts(
        "who comes back gets the old place in the queue",
        &[(
            "redis.call('ZADD', WAITLIST, digits(record.revision), entry.user)",
            "redis.call('ZADD', WAITLIST, digits(past and past.revision or record.revision), entry.user)",
        )],
    ),
    in_scripts(
        "one more than there are places",
        &[(
            "competition.confirmed < competition.capacity)",
            "competition.confirmed <= competition.capacity)",
        )],
    ),
    in_scripts(
        "full, though a place is free",
        &[(
            "competition.confirmed < competition.capacity)",
            "competition.confirmed + 1 < competition.capacity)",
        )],
    ),
    in_scripts(
        "the queue is longer than it may be",
        &[(
            "competition.waiting >= competition.waitlist_capacity",
            "competition.waiting > competition.waitlist_capacity",
        )],
    ),
    Mutant {
        bug: "how many are in is asked outside of the script",
        texts: &[
            (
                "local waiting = redis.call('ZCARD', WAITLIST)",
                "local waiting = tonumber(string.match(ARGV[1] or '', '^register %d+ (%d+)$')) or redis.call('ZCARD', WAITLIST)",
            ),
            (
                "local held = redis.call('HLEN', REGISTRATIONS)",
                "local held = tonumber(string.match(ARGV[1] or '', '^register (%d+) %d+$')) or redis.call('HLEN', REGISTRATIONS)",
            ),
        ],
        beside: Beside::CountsBefore,
    },
    in_scripts(
        "who leaves frees no place for the queue",
        &[("waited and {} or next_in_queue(competition)", "{}")],
    ),
    in_scripts(
        "a larger capacity frees no place for the queue",
        &[(
            "promote(competition, queue)\nsave_revision(competition)\nreturn remember",
            "save_revision(competition)\nreturn remember",
        )],
    ),
    in_scripts(
        "the queue is promoted after the start",
        &[(
            " or competition.now >= competition.starts_at then return 0",
            " then return 0",
        )],
    ),
    in_scripts(
        "a capacity goes below those who are in",
        &[("places < competition.confirmed", "places < 0")],
    ),
    in_scripts(
        "over_capacity is taken for said when an organiser adds",
        &[(
            "local room = entry.over_capacity or",
            "local room = entry.action == 'add' or",
        )],
    ),
    in_scripts(
        "over_capacity is not heard",
        &[("local room = entry.over_capacity or", "local room =")],
    ),
    in_scripts(
        "one registers before the window opens",
        &[(
            "if competition.now < competition.opens_at then\n    return",
            "if false then\n    return",
        )],
    ),
    in_scripts(
        "one registers after the window has closed",
        &[(
            "if competition.now >= competition.closes_at then\n    return",
            "if false then\n    return",
        )],
    ),
    in_scripts(
        "one withdraws after the start",
        &[("if competition.now >= last then", "if false then")],
    ),
    in_scripts(
        "a cancelled competition takes registrations",
        &[(
            "if competition.state == 'cancelled' then return { 'cancelled', digits(competition.revision) } end",
            "",
        )],
    ),
    in_scripts(
        "a draft takes registrations",
        &[(
            "if not competition or competition.state == 'draft' then\n    answers",
            "if not competition then\n    answers",
        )],
    ),
    in_scripts(
        "one registers twice",
        &[(
            "if current then return { 'already_registered', digits(competition.revision) } end",
            "",
        )],
    ),
    in_scripts(
        "who was removed comes back",
        &[("past.state == 'R'", "past.state == 'X'")],
    ),
    in_scripts("a preview registers", &[("dry = PREVIEW", "dry = false")]),
    in_scripts(
        "who withdrew stays in the truth",
        &[("redis.call('HDEL', REGISTRATIONS, exit.user)", "")],
    ),
    in_scripts(
        "a deleted account keeps its places",
        &[(
            "if not current then return { 'not_registered', digits(revision) } end\nlocal last",
            "if not current or limit == 'end' then return { 'not_registered', digits(revision) } end\nlocal last",
        )],
    ),
    Mutant {
        bug: "the index lacks a registration",
        texts: &[],
        beside: Beside::NoIndex,
    },
    Mutant {
        bug: "the index is written after the truth",
        texts: &[],
        beside: Beside::IndexLate,
    },
    in_scripts(
        "a promotion is not in the log",
        &[(
            "redis.call('XADD', LOG,",
            "local _ = (action == 'promote' and tostring or redis.call)('XADD', LOG,",
        )],
    ),
    in_scripts(
        "a revision is skipped",
        &[(
            "local revision = competition.revision + 1",
            "local revision = competition.revision + 2",
        )],
    ),
    in_scripts(
        "the log says that somebody else did it",
        &[(
            "actor = 'admin:' .. admin, action = 'add'",
            "actor = 'admin:nobody', action = 'add'",
        )],
    ),
    in_scripts(
        "the log says something else of the time before",
        &[(
            "local before, after = STATE_WORD[record.state], STATE_WORD[exit.state]",
            "local before, after = 'confirmed', STATE_WORD[exit.state]",
        )],
    ),
    in_scripts(
        "the log says another time",
        &[(
            "'at', digits(competition.now), 'actor'",
            "'at', digits(competition.now - 5000), 'actor'",
        )],
    ),
    in_scripts(
        "the log does not say why",
        &[(
            "action = 'remove', state = 'R', note = reason",
            "action = 'remove', state = 'R', note = ''",
        )],
    ),
    Mutant {
        bug: "a count is wrong",
        texts: &[(
            "digits(redis.call('HLEN', REGISTRATIONS) - waiting)",
            "digits(redis.call('HLEN', REGISTRATIONS))",
        )],
        beside: Beside::NobodyWaits,
    },
    Mutant {
        bug: "a read names a revision before",
        texts: &[(
            "put('revision', revision)",
            "put('revision', digits(revision - 1))",
        )],
        beside: Beside::OldRevision,
    },
    in_scripts(
        "a competition is said to stand as it was known, though it has changed",
        &[(
            "if revision and revision == known then",
            "if revision and known ~= '' then",
        )],
    ),
    in_scripts(
        "a place in the queue is wrong",
        &[(
            "'waitlisted ' .. digits(competition.waiting + 1)",
            "'waitlisted ' .. digits(competition.waiting + 2)",
        )],
    ),
    in_scripts(
        "a place in the queue is read wrong",
        &[(
            "digits(redis.call('ZRANK', WAITLIST, user) + 1)",
            "digits(redis.call('ZRANK', WAITLIST, user))",
        )],
    ),
    in_scripts(
        "who comes back is taken for new",
        &[(
            "created_at = past and past.created_at or competition.now",
            "created_at = competition.now",
        )],
    ),
    in_scripts(
        "an organiser's list lacks the last entry",
        &[(
            "if record and record.revision == last and",
            "if record and _ < #entries and record.revision == last and",
        )],
    ),
    in_scripts(
        "an organiser's list holds those who are not asked for",
        &[("and string.find(states, record.state, 1, true)", "")],
    ),
    in_scripts(
        "an etag stays what it was",
        &[(
            "'changed_at_revision', digits(competition.revision)",
            "'changed_at_revision', '1'",
        )],
    ),
];
