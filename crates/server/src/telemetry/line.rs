//! A line of the log: when, how grave, from where, what, and the fields.
//!
//! ```text
//! 2027-05-01T08:00:00.000000Z  INFO call: method=startlist.user.v1.UserService/GetMe code=OK
//! {"timestamp":"2027-05-01T08:00:00.000000Z","level":"INFO","target":"call","method":…}
//! ```
//!
//! tracing-subscriber has formats for both. They take some 10,000 instructions for the line of a call,
//! a sixth of what tonic needs for the call itself; these take less than half of that.

use std::fmt::{self, Write};
use std::ops::Range;

use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::LogFormat;

impl<S, N> FormatEvent<S, N> for LogFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        _: &FmtContext<'_, S, N>,
        mut line: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let now = timestamp(OffsetDateTime::now_utc());
        let now = std::str::from_utf8(&now).unwrap_or_default();
        match self {
            Self::Text => text(&mut line, now, event),
            Self::Json => json(&mut line, now, event),
        }
    }
}

fn text(line: &mut Writer<'_>, now: &str, event: &Event<'_>) -> fmt::Result {
    let origin = event.metadata();
    let level = word(*origin.level());
    line.write_str(now)?;
    if line.has_ansi_escapes() {
        write!(line, " \x1b[{}m{level:>5}\x1b[0m ", colour(*origin.level()))?;
    } else {
        line.write_str(&"       "[..6 - level.len()])?;
        line.write_str(level)?;
        line.write_str(" ")?;
    }
    line.write_str(origin.target())?;
    line.write_str(":")?;
    let mut fields = TextFields { line, end: Ok(()) };
    event.record(&mut fields);
    fields.end?;
    line.write_str("\n")
}

fn json(line: &mut Writer<'_>, now: &str, event: &Event<'_>) -> fmt::Result {
    let origin = event.metadata();
    for part in [
        r#"{"timestamp":""#,
        now,
        r#"","level":""#,
        word(*origin.level()),
        r#"","target":""#,
        origin.target(),
        "\"",
    ] {
        line.write_str(part)?;
    }
    let mut fields = JsonFields { line, end: Ok(()) };
    event.record(&mut fields);
    fields.end?;
    line.write_str("}\n")
}

fn word(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        Level::DEBUG => "DEBUG",
        Level::TRACE => "TRACE",
    }
}

/// Of a terminal: red, yellow, green, blue, magenta.
fn colour(level: Level) -> u8 {
    match level {
        Level::ERROR => 31,
        Level::WARN => 33,
        Level::INFO => 32,
        Level::DEBUG => 34,
        Level::TRACE => 35,
    }
}

/// ` name=value`, and the message as it is. A text with a blank or something odd in it is quoted, so
/// that nobody can write another field, or a second line.
struct TextFields<'l, 'w> {
    line: &'l mut Writer<'w>,
    end: fmt::Result,
}

impl TextFields<'_, '_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        self.end = self.end.and_then(|()| {
            self.line.write_str(" ")?;
            if field.name() != "message" {
                self.line.write_str(field.name())?;
                self.line.write_str("=")?;
            }
            value(self.line)
        });
    }
}

impl Visit for TextFields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        let is_plain = value.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
        self.write(field, |line| {
            if is_plain {
                line.write_str(value)
            } else {
                write!(line, "{value:?}")
            }
        });
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.write(field, |line| write!(line, "{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, |line| {
            let is_odd = |c: char| c.is_ascii_control();
            write!(Escaped { line, is_odd }, "{value:?}")
        });
    }
}

/// `,"name":value`
struct JsonFields<'l, 'w> {
    line: &'l mut Writer<'w>,
    end: fmt::Result,
}

impl JsonFields<'_, '_> {
    fn write(&mut self, field: &Field, value: impl FnOnce(&mut Writer<'_>) -> fmt::Result) {
        self.end = self.end.and_then(|()| {
            self.line.write_str(",\"")?;
            self.line.write_str(field.name())?;
            self.line.write_str("\":")?;
            value(self.line)
        });
    }

    fn write_text(
        &mut self,
        field: &Field,
        value: impl FnOnce(&mut Escaped<'_, '_>) -> fmt::Result,
    ) {
        self.write(field, |line| {
            line.write_str("\"")?;
            let is_odd = |c: char| c.is_ascii_control() || matches!(c, '"' | '\\');
            value(&mut Escaped { line, is_odd })?;
            line.write_str("\"")
        });
    }
}

impl Visit for JsonFields<'_, '_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.write_text(field, |text| text.write_str(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if value.is_finite() {
            self.write(field, |line| write!(line, "{value}"));
        } else {
            self.record_debug(field, &value);
        }
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.write(field, |line| write!(line, "{value}"));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.write(field, |line| write!(line, "{value}"));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.write(field, |line| write!(line, "{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write_text(field, |text| write!(text, "{value:?}"));
    }
}

/// Writes text, and the odd characters in it as `\u001f`. All odd characters are one byte long.
struct Escaped<'l, 'w> {
    line: &'l mut Writer<'w>,
    is_odd: fn(char) -> bool,
}

impl Write for Escaped<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.find(self.is_odd) {
            self.line.write_str(&rest[..at])?;
            write!(self.line, "\\u{:04x}", rest.as_bytes()[at])?;
            rest = &rest[at + 1..];
        }
        self.line.write_str(rest)
    }
}

/// RFC 3339 in UTC, with microseconds.
fn timestamp(moment: OffsetDateTime) -> [u8; 27] {
    let mut text = *b"0000-00-00T00:00:00.000000Z";
    let mut write = |place: Range<usize>, number: u32| {
        let mut left = number;
        for digit in text[place].iter_mut().rev() {
            *digit = b"0123456789"[(left % 10) as usize];
            left /= 10;
        }
    };
    write(0..4, moment.year().unsigned_abs());
    write(5..7, u8::from(moment.month()).into());
    write(8..10, moment.day().into());
    write(11..13, moment.hour().into());
    write(14..16, moment.minute().into());
    write(17..19, moment.second().into());
    write(20..26, moment.microsecond());
    text
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use time::macros::datetime;
    use tracing::{error, info};

    use super::*;

    #[derive(Clone, Default)]
    struct Output(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Output {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// What is written of these events, each line without its time.
    fn written(format: LogFormat, log: impl FnOnce()) -> String {
        let output = Output::default();
        let writer = output.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .event_format(format)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, log);
        let bytes = output.0.lock().expect("unpoisoned").clone();
        String::from_utf8(bytes).expect("text")
    }

    fn log() {
        info!(target: "call", code = "OK", duration_ms = 0.125, caller = None::<&str>, "done");
        error!(target: "call", detail = "a \"b\"\nc\\", count = 3_u64, good = true, "no\nline");
    }

    #[test]
    fn a_line_of_text_is_for_people() {
        let written = written(LogFormat::Text, log);
        let lines: Vec<&str> = written.lines().map(|line| &line[27..]).collect();
        assert_eq!(
            lines,
            [
                "  INFO call: done code=OK duration_ms=0.125",
                r#" ERROR call: no\u000aline detail="a \"b\"\nc\\" count=3 good=true"#,
            ]
        );
    }

    #[test]
    fn a_line_of_json_is_for_machines() {
        let written = written(LogFormat::Json, log);
        let lines: Vec<&str> = written
            .lines()
            .map(|line| line.strip_prefix(r#"{"timestamp":""#).expect("a time"))
            .map(|line| &line[27..])
            .collect();
        assert_eq!(
            lines,
            [
                r#"","level":"INFO","target":"call","message":"done","code":"OK","duration_ms":0.125}"#,
                concat!(
                    r#"","level":"ERROR","target":"call","message":"no\u000aline","#,
                    r#""detail":"a \u0022b\u0022\u000ac\u005c","count":3,"good":true}"#
                ),
            ]
        );
    }

    #[test]
    fn a_time_is_rfc_3339() {
        for (moment, text) in [
            (
                datetime!(1970-01-01 00:00 UTC),
                b"1970-01-01T00:00:00.000000Z",
            ),
            (
                datetime!(2028-02-29 23:59:58.012_345_6 UTC),
                b"2028-02-29T23:59:58.012345Z",
            ),
        ] {
            assert_eq!(&timestamp(moment), text);
        }
    }
}
