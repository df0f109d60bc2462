//! A rush, drawn: what was answered in each tenth of a second, and how long it took.

use std::fmt::Write;

use crate::lines::{Attempt, Ending, History};

/// The length of a column, in seconds.
const COLUMN: f64 = 0.1;

const WIDTH: f64 = 900.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
/// Where each of the two panels begins, and how high it is.
const TOPS: [f64; 2] = [70.0, 340.0];
const HEIGHT: f64 = 200.0;

const KINDS: [(Ending, &str); 3] = [
    (Ending::Confirmed, "#2a9d5c"),
    (Ending::Waitlisted, "#e9a23b"),
    (Ending::Full, "#9aa5b1"),
];
const QUANTILES: [(f64, &str, &str); 3] = [
    (0.5, "p50", "#1f6fb2"),
    (0.99, "p99", "#b2491f"),
    (1.0, "slowest", "#444444"),
];

/// The picture as SVG.
pub(super) fn of(rush: &History) -> String {
    let columns = columns(rush);
    let mut svg = String::new();
    // Writing to a string cannot fail.
    let _ = draw(&mut svg, rush, &columns);
    svg
}

/// The attempts that were answered in each column.
fn columns(rush: &History) -> Vec<Vec<&Attempt>> {
    let mut columns = vec![Vec::new(); column_of(rush.seconds) + 1];
    for attempt in &rush.attempts {
        columns[column_of(attempt.answered_at)].push(attempt);
    }
    columns
}

// Truncated: that is the point.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn column_of(seconds: f64) -> usize {
    (seconds / COLUMN) as usize
}

fn draw(svg: &mut String, rush: &History, columns: &[Vec<&Attempt>]) -> std::fmt::Result {
    let bottom = TOPS[1] + HEIGHT + 50.0;
    writeln!(
        svg,
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom}" font-family="sans-serif" font-size="13" fill="#222222">"##
    )?;
    writeln!(
        svg,
        r##"<rect width="100%" height="100%" fill="#ffffff"/>"##
    )?;
    let title = format!(
        "{} people for {} places, all in the same moment: answered in {:.2} s",
        rush.people,
        rush.counts.get(&Ending::Confirmed).unwrap_or(&0),
        rush.seconds
    );
    writeln!(
        svg,
        r#"<text x="{LEFT}" y="28" font-size="17">{title}</text>"#
    )?;
    answers(svg, columns)?;
    latencies(svg, columns)?;
    writeln!(svg, "</svg>")
}

/// The upper panel: answers in each column, one kind on top of the other.
fn answers(svg: &mut String, columns: &[Vec<&Attempt>]) -> std::fmt::Result {
    let most = columns.iter().map(Vec::len).max().unwrap_or(0) as f64;
    let panel = Panel::new(TOPS[0], most, columns.len());
    panel.frame(svg, "answers in 100 ms")?;
    let width = panel.x(1) - panel.x(0);
    for (number, column) in columns.iter().enumerate() {
        let mut below = 0.0;
        for (kind, colour) in KINDS {
            let count = column
                .iter()
                .filter(|attempt| attempt.ending == kind)
                .count() as f64;
            let (x, y) = (panel.x(number), panel.y(below + count));
            let height = panel.y(below) - y;
            writeln!(
                svg,
                r#"<rect x="{x:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}" fill="{colour}"/>"#,
                width * 0.9
            )?;
            below += count;
        }
    }
    let names = KINDS.map(|(kind, colour)| (kind.to_string(), colour));
    legend(svg, TOPS[0], &names)
}

/// The lower panel: how long those waited who were answered in each column.
fn latencies(svg: &mut String, columns: &[Vec<&Attempt>]) -> std::fmt::Result {
    let millis = |column: &Vec<&Attempt>| {
        let took = column
            .iter()
            .map(|attempt| attempt.answered_at - attempt.called_at);
        let mut took: Vec<_> = took.map(|seconds| seconds * 1e3).collect();
        took.sort_by(f64::total_cmp);
        took
    };
    let millis: Vec<_> = columns.iter().map(millis).collect();
    let most = millis
        .iter()
        .filter_map(|took| took.last())
        .fold(0.0, |a: f64, b| a.max(*b));
    let panel = Panel::new(TOPS[1], most, columns.len());
    panel.frame(svg, "ms from the first call to the last answer")?;
    let half = (panel.x(1) - panel.x(0)) / 2.0;
    for (share, _, colour) in QUANTILES {
        let mut points = String::new();
        for (number, took) in millis.iter().enumerate() {
            if let Some(value) = quantile(took, share) {
                write!(
                    points,
                    "{:.1},{:.1} ",
                    panel.x(number) + half,
                    panel.y(value)
                )?;
            }
        }
        writeln!(
            svg,
            r#"<polyline points="{}" fill="none" stroke="{colour}" stroke-width="2"/>"#,
            points.trim_end()
        )?;
    }
    let names = QUANTILES.map(|(_, name, colour)| (name.to_owned(), colour));
    legend(svg, TOPS[1], &names)
}

/// The value that this share of the sorted values does not exceed.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied()
}

fn legend(svg: &mut String, top: f64, names: &[(String, &str)]) -> std::fmt::Result {
    let mut x = WIDTH - RIGHT - 110.0 * names.len() as f64;
    for (name, colour) in names {
        let y = top - 12.0;
        writeln!(
            svg,
            r#"<rect x="{x}" y="{:.1}" width="11" height="11" fill="{colour}"/><text x="{:.1}" y="{y:.1}">{name}</text>"#,
            y - 10.0,
            x + 16.0
        )?;
        x += 110.0;
    }
    Ok(())
}

/// A panel with its axes: columns to the right, a figure upwards.
struct Panel {
    top: f64,
    /// The figure at the upper end, which is a round one.
    most: f64,
    step: f64,
    columns: usize,
}

impl Panel {
    fn new(top: f64, most: f64, columns: usize) -> Self {
        let step = round_step(most / 4.0);
        Self {
            top,
            most: (most / step).ceil().max(1.0) * step,
            step,
            columns,
        }
    }

    fn x(&self, column: usize) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) * column as f64 / self.columns.max(1) as f64
    }

    fn y(&self, value: f64) -> f64 {
        self.top + HEIGHT * (1.0 - value / self.most)
    }

    fn frame(&self, svg: &mut String, says: &str) -> std::fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, self.top + HEIGHT);
        writeln!(
            svg,
            r#"<text x="{LEFT}" y="{:.1}">{says}</text>"#,
            self.top - 12.0
        )?;
        let mut value = 0.0;
        while value <= self.most {
            let y = self.y(value);
            writeln!(
                svg,
                r##"<path d="M{LEFT} {y:.1}H{right}" stroke="#dddddd"/><text x="{:.1}" y="{:.1}" text-anchor="end">{value}</text>"##,
                LEFT - 8.0,
                y + 4.0
            )?;
            value += self.step;
        }
        let seconds = self.columns as f64 * COLUMN;
        let step = round_step(seconds / 8.0).max(COLUMN);
        let mut at = 0.0;
        while at <= seconds {
            let x = LEFT + (right - LEFT) * at / seconds;
            writeln!(
                svg,
                r#"<text x="{x:.1}" y="{:.1}" text-anchor="middle">{at:.1} s</text>"#,
                bottom + 20.0
            )?;
            at += step;
        }
        Ok(())
    }
}

/// The next larger of 1, 2, 5, 10, 20, 50 and so on, and of their tenths.
fn round_step(at_least: f64) -> f64 {
    let power = 10_f64.powf(at_least.max(1e-3).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|step| step * power);
    steps
        .into_iter()
        .find(|step| *step >= at_least)
        .unwrap_or(steps[3])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_round() {
        for (at_least, step) in [
            (0.3, 0.5),
            (1.0, 1.0),
            (3.0, 5.0),
            (51.0, 100.0),
            (750.0, 1000.0),
        ] {
            assert!((round_step(at_least) - step).abs() < 1e-9, "{at_least}");
        }
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let sorted = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(quantile(&sorted, 0.5), Some(2.0));
        assert_eq!(quantile(&sorted, 0.99), Some(4.0));
        assert_eq!(quantile(&sorted, 1.0), Some(4.0));
        assert_eq!(quantile(&[], 0.5), None);
    }

    #[test]
    fn each_answer_is_in_the_column_of_its_moment() {
        let attempt = |answered_at| Attempt {
            called_at: 0.0,
            answered_at,
            turned_away: 0,
            unanswered: 0,
            ending: Ending::Full,
        };
        let rush = History::of([0.05, 0.15, 0.19, 0.42].map(attempt).to_vec());
        let counts: Vec<_> = columns(&rush).iter().map(Vec::len).collect();
        assert_eq!(counts, [1, 2, 0, 0, 1]);
    }
}
