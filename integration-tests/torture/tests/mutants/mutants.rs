//! The planted bugs. Most change the scripts that the services load; some change other commands.

use crate::scripts::Change::{self, Command, Text};

/// One planted bug.
pub(crate) struct Mutant {
    pub(crate) bug: &'static str,
    pub(crate) changes: &'static [Change],
    pub(crate) interference: Interference,
}

/// What happens to commands that are not part of a script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interference {
    None,
    /// The entry in the user's index is not written.
    NoIndexEntry,
    /// The entry in the user's index is written after the competition has decided. The service is
    /// sometimes killed in between.
    LateIndexEntry,
    /// The script gets the counts of a moment before as one more argument.
    StaleCounts,
    /// A read of a competition outside of the scripts finds an empty waitlist.
    EmptyWaitlist,
    /// A read of a competition outside of the scripts finds the length of the revision (1 or 2).
    WrongRevision,
}

const fn mutant(bug: &'static str, changes: &'static [Change]) -> Mutant {
    mutant_with(bug, changes, Interference::None)
}

const fn mutant_with(
    bug: &'static str,
    changes: &'static [Change],
    interference: Interference,
) -> Mutant {
    Mutant {
        bug,
        changes,
        interference,
    }
}

/// The record of a registration without its request ids.
const WITHOUT_REQUESTS: &str = "local record = send()
    return record and string.gsub(record, ' %S+=%d+', '') or record";

pub(crate) const NO_BUG: Mutant = mutant("nothing is planted", &[]);

pub(crate) const MUTANTS: &[Mutant] = &[
    // Repeated requests.
    mutant(
        "a repeated request is decided again",
        &[
            Command("HGET registrations", WITHOUT_REQUESTS),
            Command("HGET past", WITHOUT_REQUESTS),
        ],
    ),
    mutant(
        "a repeated request gets another state",
        &[Command(
            "XRANGE log",
            "return edit_entries(function(entry) entry.after = 'confirmed' end)",
        )],
    ),
    mutant(
        "a repeated request gets another waitlist position",
        &[Command(
            "XRANGE log",
            "return edit_entries(function(entry)
               entry.after = string.gsub(entry.after, '%d+', '7')
             end)",
        )],
    ),
    mutant(
        "the requests of a user who left are forgotten",
        &[Command(
            "HSET past",
            "command[4] = string.gsub(command[4], '^(%S+ %S+ %S+ %S+).*( %S+=%d+)$', '%1%2')",
        )],
    ),
    mutant(
        "an organiser's repeated request is decided again",
        &[Command("HGETALL request", "return {}")],
    ),
    // The waitlist.
    mutant(
        "the last user of the waitlist is promoted",
        &[Command("ZRANGE waitlist", "table.insert(command, 'REV')")],
    ),
    mutant(
        "a newcomer takes the place that belongs to the waitlist",
        &[
            Text("leave", r"next_in_queue\(\w+\)", "{}"),
            Text("settle", r"next_in_queue\(\w+\)", "{}"),
            Text("enter", r"\w+\.waiting == 0", "true"),
        ],
    ),
    mutant(
        "a user who comes back gets the old waitlist position",
        &[Command(
            "ZADD waitlist",
            "local registrations = string.gsub(command[2], 'waitlist$', 'registrations')
             local record = redis.call('HGET', registrations, command[4])
             command[3] = string.match(record, '=(%d+)')",
        )],
    ),
    mutant(
        "the waitlist is longer than allowed",
        &[Text(
            "enter",
            r"(\w+\.waiting) >= (\w+\.waitlist_capacity)",
            "$1 > $2",
        )],
    ),
    mutant(
        "a withdrawal promotes nobody",
        &[Text("leave", r"next_in_queue\(\w+\)", "{}")],
    ),
    mutant(
        "a larger capacity promotes nobody",
        &[Text(
            "update_competition.lua",
            r"next_in_queue\(\w+\)",
            "{}",
        )],
    ),
    mutant(
        "users are promoted after the start",
        &[Text("claims", r"\w+\.now >= \w+\.starts_at", "false")],
    ),
    // Capacity.
    mutant(
        "one user more than the capacity is confirmed",
        &[Text(
            "enter",
            r"(\w+\.confirmed) < (\w+\.capacity)",
            "$1 <= $2",
        )],
    ),
    mutant(
        "the competition is full although a place is free",
        &[Text(
            "enter",
            r"(\w+\.confirmed) < (\w+\.capacity)",
            "$1 + 1 < $2",
        )],
    ),
    mutant_with(
        "the counts are read outside of the script",
        &[
            Command(
                "HLEN registrations",
                "if counts then return tonumber(string.match(counts, '^%d+')) end",
            ),
            Command(
                "ZCARD waitlist",
                "if counts then return tonumber(string.match(counts, '%d+$')) end",
            ),
        ],
        Interference::StaleCounts,
    ),
    mutant(
        "the capacity can be set below the number of confirmed users",
        &[Text(
            "update_competition.lua",
            r"\w+ < \w+\.confirmed",
            "false",
        )],
    ),
    mutant(
        "every addition by an organiser is over capacity",
        &[Text(
            "enter",
            r"(\w+)\.over_capacity",
            "($1.over_capacity or $1.action == 'add')",
        )],
    ),
    mutant(
        "over_capacity is ignored",
        &[Text("enter", r"\w+\.over_capacity", "false")],
    ),
    // When registrations are possible.
    mutant(
        "a user registers before the window opens",
        &[Text("register.lua", r"\w+\.now < \w+\.opens_at", "false")],
    ),
    mutant(
        "a user registers after the window closed",
        &[Text("register.lua", r"\w+\.now >= \w+\.closes_at", "false")],
    ),
    mutant(
        "a user withdraws after the start",
        &[Text("withdraw.lua", r"\w+\.now >= \w+", "false")],
    ),
    mutant(
        "a cancelled competition accepts registrations",
        &[Text("register.lua", r"\w+\.state == 'cancelled'", "false")],
    ),
    mutant(
        "a draft accepts registrations",
        &[Text("register.lua", r"\w+\.state == 'draft'", "false")],
    ),
    mutant(
        "a user registers twice",
        &[Text(
            "register.lua",
            r"if \w+ then return \{ 'already_registered'",
            "if false then return { 'already_registered'",
        )],
    ),
    mutant(
        "a removed user registers again",
        &[Text("register.lua", r"\w+\.state == 'R'", "false")],
    ),
    mutant(
        "a preview registers",
        &[Text("register.lua", r"dry = \w+", "dry = false")],
    ),
    mutant(
        "a user who left stays in the current registrations",
        &[Command("HDEL registrations", "return 0")],
    ),
    mutant(
        "a deleted account keeps its places",
        &[Text(
            "withdraw.lua",
            r"if not (\w+) then return \{ 'not_registered'",
            "if not $1 or ARGV[3] == 'end' then return { 'not_registered'",
        )],
    ),
    // The index of a user.
    mutant_with(
        "the index lacks a registration",
        &[],
        Interference::NoIndexEntry,
    ),
    mutant_with(
        "the index is written after the decision",
        &[],
        Interference::LateIndexEntry,
    ),
    // The log.
    mutant(
        "a promotion is not logged",
        &[Command(
            "XADD log",
            "if get('action') == 'promote' then return '' end",
        )],
    ),
    mutant(
        "a revision is skipped",
        &[Text("append", r"(\w+\.revision) \+ 1", "$1 + 2")],
    ),
    mutant(
        "an addition is logged with another actor",
        &[Command(
            "XADD log",
            "if get('action') == 'add' then set('actor', 'admin:nobody') end",
        )],
    ),
    mutant(
        "an end is logged with another state before it",
        &[Command(
            "XADD log",
            "local action = get('action')
             if action == 'withdraw' or action == 'remove' then set('before', 'confirmed') end",
        )],
    ),
    mutant(
        "a change is logged with another time",
        &[Command(
            "XADD log",
            "set('at', string.format('%d', get('at') - 5000))",
        )],
    ),
    mutant(
        "a removal is logged without its reason",
        &[Command(
            "XADD log",
            "if get('action') == 'remove' then set('note', '') end",
        )],
    ),
    // Reads.
    mutant_with(
        "a read counts confirmed users wrong",
        &[Text(
            "read_competition.lua",
            r"(redis\.call\('HLEN', \w+\)) - \w+",
            "$1",
        )],
        Interference::EmptyWaitlist,
    ),
    mutant_with(
        "a read has an earlier revision",
        &[Text(
            "read_competition.lua",
            r"put\('revision', (\w+)\)",
            "put('revision', digits($1 - 1))",
        )],
        Interference::WrongRevision,
    ),
    mutant(
        "a read finds a changed competition unchanged",
        &[Text(
            "read_competition.lua",
            r"\w+ == (\w+) then return \{ 'unchanged'",
            "$1 ~= '' then return { 'unchanged'",
        )],
    ),
    mutant(
        "a registration returns a wrong waitlist position",
        &[Text(
            "enter",
            r"digits\((\w+\.waiting) \+ 1\)",
            "digits($1 + 2)",
        )],
    ),
    mutant(
        "a read returns a wrong waitlist position",
        &[Command(
            "ZRANK waitlist",
            "local rank = send()
             return rank and rank - 1",
        )],
    ),
    mutant(
        "a user who comes back is taken for a new one",
        &[Text(
            "enter",
            r"created_at = \w+ and \w+\.created_at or ",
            "created_at = ",
        )],
    ),
    mutant(
        "a list lacks its last entry",
        &[Text(
            "list_registrations.lua",
            r"(\w+) == last and",
            "$1 == last and _ < #entries and",
        )],
    ),
    mutant(
        "a list has entries in other states",
        &[Text(
            "list_registrations.lua",
            r"string\.find\(\w+, \w+\.state, 1, true\)",
            "true",
        )],
    ),
    mutant(
        "an etag does not change",
        &[Command("HSET meta", "set('changed_at_revision', '1')")],
    ),
];
