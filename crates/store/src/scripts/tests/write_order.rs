//! Checks that no script writes before its last check: Redis undoes nothing when a script fails.
//!
//! A probe around `redis.call`, `assert` and `error` watches valid calls of all scripts. After the
//! first write, a script must not:
//! - call `assert` or `error`;
//! - read or write a key whose type it has not seen, because that can fail. The first write may: if
//!   Redis refuses it, nothing has changed;
//! - append to a log for the first time: Redis refuses an entry behind the last possible id.
//!
//! A script that decides several users under `pcall` follows the rule for each user.

use super::fixture::{Call, ScriptRedis, calls, plain_writes, setup_calls, text_of};

/// Inserted behind the first line of a script. `probed` holds the keys whose type was seen, and
/// whether anything was written.
const PROBE: &str = r"
local real, probed = redis, { seen = {}, appended = {}, written = false }
-- EXPIRE is not among them: it prolongs the lifetime of a remembered reply and changes nothing.
local WRITES = { DEL = true, HDEL = true, HSET = true, INCR = true, PEXPIRE = true,
  SADD = true, SET = true, SREM = true, XADD = true, ZADD = true, ZREM = true }
local KEYLESS = { TIME = true }
-- These commands accept a key of any type, so they cannot fail because of it.
local UNTYPED = { DEL = true, EXISTS = true, EXPIRE = true, PEXPIRE = true, PTTL = true,
  TYPE = true, SET = true }
local real_assert, real_error, real_pcall = assert, error, pcall
local function complain(what) real_error('late check: ' .. what) end
local redis = setmetatable({ call = function(command, key, ...)
  if KEYLESS[command] then return real.call(command) end
  if probed.written and not probed.seen[key] and not UNTYPED[command] then
    complain(command .. ' ' .. key)
  end
  if command == 'XADD' then
    if probed.written and not probed.appended[key] then complain('XADD ' .. key) end
    probed.appended[key] = true
  end
  local answer = real.call(command, key, ...)
  if command == 'TYPE' or not UNTYPED[command] then probed.seen[key] = true end
  if command == 'DEL' then for _, gone in ipairs({ key, ... }) do probed.seen[gone] = true end end
  if WRITES[command] then probed.written = true end
  return answer
end }, { __index = real })
local function assert(...) if probed.written then complain('assert') end return real_assert(...) end
local function error(...) if probed.written then complain('error') end return real_error(...) end
local function pcall(...)
  local before = probed.written
  probed.written = false
  local answer = { real_pcall(...) }
  probed.written = probed.written or before
  return unpack(answer)
end
";

/// Runs a script with the probe. Returns its complaint.
fn complaint(redis: &mut ScriptRedis, script: &str, call: &Call) -> Option<String> {
    let (first_line, rest) = script.split_once('\n').expect("a first line");
    let probed = format!("{first_line}\n{PROBE}{rest}");
    let reply = redis.run_text(&probed, call);
    let text = format!("{reply:?}");
    text.contains("late check").then_some(text)
}

#[test]
fn no_script_writes_before_its_last_check() {
    let mut redis = ScriptRedis::empty();
    for call in setup_calls() {
        let complaint = complaint(&mut redis, text_of(call.script), &call);
        assert_eq!(complaint, None, "{call:?}");
    }
    let good = super::fuzz::Snapshot::take(&mut redis);
    for call in calls() {
        for more_places in [false, true] {
            good.restore(&mut redis);
            super::fuzz::write(&mut redis, &plain_writes());
            if more_places && call.keys[0].starts_with("c:{cup}:rev") {
                // Promotions are due.
                let meta = "c:{cup}:meta".to_owned();
                let change = vec!["HSET".into(), meta, "capacity".into(), "3".into()];
                super::fuzz::write(&mut redis, &[change]);
            }
            let complaint = complaint(&mut redis, text_of(call.script), &call);
            assert_eq!(complaint, None, "{call:?}");
        }
    }
}

#[test]
fn every_script_has_a_valid_call() {
    for (file, _) in crate::scripts::all() {
        let name = file.strip_suffix(".lua").expect("a script");
        assert!(
            calls().iter().any(|call| call.script == name),
            "{name} is never called"
        );
    }
}

#[test]
fn a_script_that_checks_too_late_is_noticed() {
    let mut redis = ScriptRedis::empty();
    let call = Call {
        script: "seal",
        keys: vec!["{a}:one".into(), "{a}:two".into()],
        arguments: Vec::new(),
    };
    let mut notice = |script: &str| complaint(&mut redis, script, &call).is_some();
    let set = "redis.call('SET', KEYS[1], 'x')";
    for late in [
        "assert(true)",
        "pcall(error, 'no')",
        "redis.call('HGET', KEYS[2], 'x')",
        "redis.call('HSET', KEYS[2], 'x', 'y')",
    ] {
        let late = late.replace(
            "pcall(error, 'no')",
            "if KEYS[3] == nil then error('no') end",
        );
        assert!(notice(&format!("#!lua\n{set}\n{late}\n")), "{late}");
        assert!(
            !notice(&format!(
                "#!lua\nredis.call('TYPE', KEYS[2])\npcall(function() {late} end)\n{set}\n"
            )),
            "{late}"
        );
    }
    let add = "redis.call('XADD', KEYS[2], '*', 'x', 'y')";
    let look = "redis.call('TYPE', KEYS[2])";
    assert!(notice(&format!("#!lua\n{look}\n{set}\n{add}\n")));
    assert!(!notice(&format!("#!lua\n{add}\n{set}\n{add}\n")));
    // Each of a batch begins anew.
    let each = "local function one() assert(true); redis.call('SET', KEYS[1], 'x') end\n";
    assert!(!notice(&format!("#!lua\n{each}pcall(one)\npcall(one)\n")));
    assert!(notice(&format!("#!lua\n{each}one()\none()\n")));
}
