//! No script writes before its last check: seen while it runs, on every way that the good calls take.
//!
//! A probe around `redis.call`, `assert` and `error` watches the order. Once something is written:
//! - nothing is asserted or thrown any more;
//! - no key is read or written whose type was not seen before. Only the first write of all may be to a key
//!   that was not looked at: if Redis refuses it, nothing has happened yet;
//! - no log is begun: Redis refuses an entry behind the last possible one, and nothing else tells.
//!
//! Where a script calls itself for each of a batch, under `pcall`, the rule is for each of them.

use super::world::{Call, World, beginning, calls, text_of, written_plainly};

/// Put behind the first line of a script. `probed` holds which keys were looked at, and whether anything
/// was written.
const PROBE: &str = r"
local real, probed = redis, { seen = {}, appended = {}, written = false }
-- EXPIRE is not among them: it lets an answer that is kept live longer, and changes nothing.
local WRITES = { DEL = true, HDEL = true, HSET = true, INCR = true, PEXPIRE = true,
  SADD = true, SET = true, SREM = true, XADD = true, ZADD = true, ZREM = true }
local KEYLESS = { TIME = true }
-- These can be sent to a key of any type: they check nothing, and cannot fail because of a type.
local UNTYPED = { DEL = true, EXISTS = true, EXPIRE = true, PEXPIRE = true, PTTL = true, TYPE = true, SET = true }
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

/// The complaint of the probe about this script, if it has one.
fn complaint(world: &mut World, script: &str, call: &Call) -> Option<String> {
    let (first_line, rest) = script.split_once('\n').expect("a first line");
    let probed = format!("{first_line}\n{PROBE}{rest}");
    let answer = world.run_text(&probed, call);
    let text = format!("{answer:?}");
    text.contains("late check").then_some(text)
}

#[test]
fn no_script_writes_before_its_last_check() {
    let mut world = World::empty();
    for call in beginning() {
        let complaint = complaint(&mut world, text_of(call.script), &call);
        assert_eq!(complaint, None, "{call:?}");
    }
    let good = super::fuzz::Snapshot::take(&mut world);
    for call in calls() {
        for more_places in [false, true] {
            good.restore(&mut world);
            super::fuzz::write(&mut world, &written_plainly());
            if more_places && call.keys[0].starts_with("c:{cup}:rev") {
                // Promotions are due.
                let meta = "c:{cup}:meta".to_owned();
                let change = vec!["HSET".into(), meta, "capacity".into(), "3".into()];
                super::fuzz::write(&mut world, &[change]);
            }
            let complaint = complaint(&mut world, text_of(call.script), &call);
            assert_eq!(complaint, None, "{call:?}");
        }
    }
}

#[test]
fn every_script_has_a_good_call() {
    for (file, _) in super::all() {
        let name = file.strip_suffix(".lua").expect("a script");
        assert!(
            calls().iter().any(|call| call.script == name),
            "{name} is never called"
        );
    }
}

#[test]
fn a_script_that_checks_too_late_is_noticed() {
    let mut world = World::empty();
    let call = Call {
        script: "seal",
        keys: vec!["{a}:one".into(), "{a}:two".into()],
        arguments: Vec::new(),
    };
    let mut notice = |script: &str| complaint(&mut world, script, &call).is_some();
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
