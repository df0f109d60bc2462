//! Numbers and tables as text.

/// A table whose first column is aligned to the left and whose other columns to the right.
pub(super) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head = head.iter().map(ToString::to_string).collect();
    let rows: Vec<Vec<String>> = [head].into_iter().chain(rows).collect();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<_> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, &width))| match column {
            0 => format!("{cell:width$}"),
            _ => format!("{cell:>width$}"),
        });
        format!("| {} |", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().enumerate();
    let rule = rule.map(|(column, width)| match column {
        0 => "-".repeat(width + 2),
        _ => format!("{}:", "-".repeat(width + 1)),
    });
    let rule = format!("|{}|", rule.collect::<Vec<_>>().join("|"));
    let mut lines: Vec<_> = rows.iter().map(line).collect();
    lines.insert(1, rule);
    lines.join("\n")
}

pub(super) fn optional(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map(show).unwrap_or_default()
}

/// Rounds to three significant digits, and to whole numbers above a thousand.
pub(super) fn rounded(value: f64) -> String {
    match value.abs() {
        size if size >= 1_000.0 => whole(value),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size > 0.0 => format!("{value:.2}"),
        _ => "0".to_owned(),
    }
}

/// Rounds to a whole number with separators between the thousands.
pub(super) fn whole(value: f64) -> String {
    let number = format!("{value:.0}");
    let digits = number.trim_start_matches('-');
    let mut text = number[..number.len() - digits.len()].to_owned();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_rounded_to_three_significant_digits() {
        for (value, text) in [
            (0.0, "0"),
            (0.404, "0.40"),
            (17.32, "17.3"),
            (450.4, "450"),
            (17_321.6, "17,322"),
            (-1_234_567.0, "-1,234,567"),
        ] {
            assert_eq!(rounded(value), text);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [vec!["Register".to_owned(), "17,300".to_owned()]];
        let expected = "| scenario | calls/s |\n|----------|--------:|\n| Register |  17,300 |";
        assert_eq!(table(&["scenario", "calls/s"], rows.into_iter()), expected);
    }
}
