//! The planted bugs. Most change the scripts that the services load; some change other commands.

use crate::scripts::Change::{self, Command, Text};

/// One planted bug.
pub(crate) struct Mutant {
    pub(crate) bug: &'static str,
    pub(crate) changes: &'static [Change],
    pub(crate) interference: Option<Interference>,
}

/// What happens to commands that are not part of a script.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Interference {
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

pub(crate) const NO_BUG: Mutant = Mutant {
    bug: "nothing is planted",
    changes: &[],
    interference: None,
};

/// Reads the record of a registration without its request ids.
const WITHOUT_REQUESTS: &str = "local record = send()
    return record and string.gsub(record, ' %S+=%d+', '') or record";

macro_rules! change {
    (in $place:literal, $pattern:expr, $replacement:literal) => {
        Text($place, $pattern, $replacement)
    };
    (on $command:literal, $code:expr) => {
        Command($command, $code)
    };
}

/// Each bug has a name and its changes of the scripts: `in` a function or a script, a regular
/// expression and its replacement; `on` a command and a key, Lua code that runs before the command.
macro_rules! mutants {
    ($($bug:literal $(with $interference:ident)?
        $(: $($kind:ident $place:literal: $code:expr $(=> $replacement:literal)?),+)?;)*) => {
        pub(crate) const MUTANTS: &[Mutant] = &[$(Mutant {
            bug: $bug,
            changes: &[$($(change!($kind $place, $code $(, $replacement)?),)+)?],
            interference: mutants!(@interference $($interference)?),
        },)*];
    };
    (@interference) => { None };
    (@interference $interference:ident) => { Some(Interference::$interference) };
}

mutants! {
    // Repeated requests.
    "a repeated request is decided again":
        on "HGET registrations": WITHOUT_REQUESTS,
        on "HGET past": WITHOUT_REQUESTS;
    "a repeated request gets another state":
        on "XRANGE log": "return edit_entries(function(entry) entry.after = 'confirmed' end)";
    "a repeated request gets another waitlist position":
        on "XRANGE log":
            "return edit_entries(function(entry)
               entry.after = string.gsub(entry.after, '%d+', '7')
             end)";
    "the requests of a user who left are forgotten":
        on "HSET past":
            "command[4] = string.gsub(command[4], '^(%S+ %S+ %S+ %S+).*( %S+=%d+)$', '%1%2')";
    "an organiser's repeated request is decided again":
        on "HGETALL request": "return {}";
    // The waitlist.
    "the last user of the waitlist is promoted":
        on "ZRANGE waitlist": "table.insert(command, 'REV')";
    "a newcomer takes the place that belongs to the waitlist":
        in "leave": r"next_in_queue\(\w+\)" => "{}",
        in "settle": r"next_in_queue\(\w+\)" => "{}",
        in "enter": r"\w+\.waiting == 0" => "true";
    "a user who comes back gets the old waitlist position":
        on "ZADD waitlist":
            "local registrations = string.gsub(command[2], 'waitlist$', 'registrations')
             local record = redis.call('HGET', registrations, command[4])
             command[3] = string.match(record, '=(%d+)')";
    "the waitlist is longer than allowed":
        in "enter": r"(\w+\.waiting) >= (\w+\.waitlist_capacity)" => "$1 > $2";
    "a withdrawal promotes nobody":
        in "leave": r"next_in_queue\(\w+\)" => "{}";
    "a larger capacity promotes nobody":
        in "update_competition.lua": r"next_in_queue\(\w+\)" => "{}";
    "users are promoted after the start":
        in "claims": r"\w+\.now >= \w+\.starts_at" => "false";
    // Capacity.
    "one user more than the capacity is confirmed":
        in "enter": r"(\w+\.confirmed) < (\w+\.capacity)" => "$1 <= $2";
    "the competition is full although a place is free":
        in "enter": r"(\w+\.confirmed) < (\w+\.capacity)" => "$1 + 1 < $2";
    "the counts are read outside of the script" with StaleCounts:
        on "HLEN registrations": "if counts then return tonumber(string.match(counts, '^%d+')) end",
        on "ZCARD waitlist": "if counts then return tonumber(string.match(counts, '%d+$')) end";
    "the capacity can be set below the number of confirmed users":
        in "update_competition.lua": r"\w+ < \w+\.confirmed" => "false";
    "a larger capacity that additions exceed is refused":
        in "update_competition.lua": r"\w+ < \w+\.capacity" => "true";
    "every addition by an organiser is over capacity":
        in "enter": r"(\w+)\.over_capacity" => "($1.over_capacity or $1.action == 'add')";
    "over_capacity is ignored":
        in "enter": r"\w+\.over_capacity" => "false";
    // When registrations are possible.
    "a user registers before the window opens":
        in "register.lua": r"\w+\.now < \w+\.opens_at" => "false";
    "a user registers after the window closed":
        in "register.lua": r"\w+\.now >= \w+\.closes_at" => "false";
    "a user withdraws after the start":
        in "withdraw.lua": r"\w+\.now >= \w+\.starts_at" => "false";
    "a waiting user cannot leave after the start":
        in "withdraw.lua": r"\w+\.state ~= 'W'" => "true";
    "an added user waits after the start":
        in "enter": r"\w+\.now >= \w+\.starts_at" => "false";
    "a cancelled competition accepts registrations":
        in "register.lua": r"\w+\.state == 'cancelled'" => "false";
    "a draft accepts registrations":
        in "register.lua": r"\w+\.state == 'draft'" => "false";
    "a user registers twice":
        in "register.lua": r"if \w+ then return \{ 'already_registered'"
            => "if false then return { 'already_registered'";
    "a removed user registers again":
        in "register.lua": r"\w+\.state == 'R'" => "false";
    "a preview registers":
        in "register.lua": r"dry = \w+" => "dry = false";
    "a user who left stays in the current registrations":
        on "HDEL registrations": "return 0";
    "a deleted account keeps its places":
        in "erase_registration.lua": r"if (\w+) and \(\w+\.state" => "if false and ($1.state";
    // The index of a user.
    "the index lacks a registration" with NoIndexEntry;
    "the index is written after the decision" with LateIndexEntry;
    // The log.
    "a promotion is not logged":
        on "XADD log": "if get('action') == 'promote' then return '' end";
    "a revision is skipped":
        in "append": r"(\w+\.revision) \+ 1" => "$1 + 2";
    "an addition is logged with another actor":
        on "XADD log": "if get('action') == 'add' then set('actor', 'admin:nobody') end";
    "an end is logged with another state before it":
        on "XADD log":
            "local action = get('action')
             if action == 'withdraw' or action == 'remove' then set('before', 'confirmed') end";
    "a change is logged with another time":
        on "XADD log": "set('at', string.format('%d', get('at') - 5000))";
    "a removal is logged without its reason":
        on "XADD log": "if get('action') == 'remove' then set('note', '') end";
    // Reads.
    "a read counts confirmed users wrong" with EmptyWaitlist:
        in "read_competition.lua": r"(redis\.call\('HLEN', \w+\)) - \w+" => "$1";
    "a read has an earlier revision" with WrongRevision:
        in "read_competition.lua": r"put\('revision', (\w+)\)" => "put('revision', digits($1 - 1))";
    "a read finds a changed competition unchanged":
        in "read_competition.lua": r"\w+ == (\w+) then return \{ 'unchanged'"
            => "$1 ~= '' then return { 'unchanged'";
    "a registration returns a wrong waitlist position":
        in "enter": r"digits\((\w+\.waiting) \+ 1\)" => "digits($1 + 2)";
    "a read returns a wrong waitlist position":
        on "ZRANK waitlist": "local rank = send() return rank and rank - 1";
    "a user who comes back is taken for a new one":
        in "enter": r"created_at = \w+ and \w+\.created_at or " => "created_at = ";
    "a list lacks its last entry":
        in "list_registrations.lua": r"(\w+) == last and" => "$1 == last and _ < #entries and";
    "a list has entries in other states":
        in "list_registrations.lua": r"string\.find\(\w+, \w+\.state, 1, true\)" => "true";
    "an etag does not change":
        on "HSET meta": "set('changed_at_revision', '1')";
}
