//! Headings, tables and bars of characters.

use verdict_monitor::{Missing, Seen};

/// Characters of a bar.
const BAR: usize = 20;

/// Characters of a statement: the whole of it is in JSON.
const WIDEST: usize = 96;

/// What is shown, from top to bottom.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// A server.
    pub fn server(&mut self, words: &str) {
        if !self.0.is_empty() {
            self.0.push('\n');
        }
        self.line(words);
        self.line(&"═".repeat(words.chars().count()));
    }

    /// A part of it.
    pub fn heading(&mut self, words: &str) {
        self.0.push('\n');
        self.line(words);
    }

    /// A part with what was told of it, or why nothing was.
    pub fn part<'a, T>(&mut self, heading: &str, seen: &'a Seen<T>) -> Option<&'a T> {
        self.heading(heading);
        if let Some(missing) = seen.missing() {
            self.missing(missing);
        }
        seen.told()
    }

    /// What is not told.
    pub fn missing(&mut self, Missing { what, remedy }: &Missing) {
        self.line(&format!("  not told: {what}. To have it: {remedy}"));
    }

    /// A line.
    pub fn line(&mut self, words: &str) {
        self.0.push_str(words.trim_end());
        self.0.push('\n');
    }

    /// Rows under their heads, figures to the right and the last column to the left; a line in
    /// their place where there are none.
    pub fn table<const N: usize>(&mut self, heads: [&str; N], rows: &[[String; N]], none: &str) {
        if rows.is_empty() {
            return self.line(&format!("  {none}"));
        }
        let heads = heads.map(str::to_owned);
        let widths: [usize; N] = std::array::from_fn(|column| {
            let all = std::iter::once(&heads).chain(rows);
            let widths = all.map(|cells| cells[column].chars().count());
            widths.max().unwrap_or(0)
        });
        for cells in std::iter::once(&heads).chain(rows) {
            let mut line = String::new();
            for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
                line.push_str("  ");
                match column + 1 == N {
                    true => line.push_str(&cut(cell)),
                    false => line.push_str(&format!("{cell:>width$}")),
                }
            }
            self.line(&line);
        }
    }

    /// All of it.
    pub fn text(self) -> String {
        self.0
    }
}

/// A share as a bar.
pub fn bar(share: f64) -> String {
    let full = (share.clamp(0.0, 1.0) * BAR as f64).round() as usize;
    format!("{}{}", "█".repeat(full), "·".repeat(BAR - full))
}

/// A share in percent.
pub fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    match percent {
        p if p > 0.0 && p < 0.1 => "< 0.1 %".to_owned(),
        p if p < 10.0 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

/// What part of a whole something is; nothing of nothing.
pub fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(WIDEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_always_as_wide() {
        for (part, full) in [(0.0, 0), (0.5, 10), (1.0, 20), (7.0, 20)] {
            let bar = bar(part);
            assert_eq!(bar.chars().count(), BAR);
            assert_eq!(bar.chars().filter(|c| *c == '█').count(), full);
        }
        assert_eq!(share(1.0, 0.0), 0.0);
        assert_eq!(percent(0.000_1), "< 0.1 %");
    }

    #[test]
    fn columns_stand_below_each_other_and_a_long_statement_is_cut() {
        let mut page = Page::default();
        let rows = [
            ["1".to_owned(), "x".repeat(200)],
            ["22".to_owned(), "y".to_owned()],
        ];
        page.table(["n", "statement"], &rows, "none");
        let text = page.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "   n  statement");
        assert_eq!(lines[1].chars().count(), 6 + WIDEST + 1);
        assert_eq!(lines[2], "  22  y");
    }
}
