//! The nearest name to a mistyped one.

/// The candidate with the smallest edit distance to `asked`; the first of several.
pub(crate) fn nearest<'a>(
    asked: &str,
    candidates: impl Iterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates.min_by_key(|candidate| distance(asked, candidate))
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one into the other
/// (the optimal string alignment distance).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_swap_costs_one_edit() {
        assert_eq!(distance("sned", "send"), 1);
        assert_eq!(distance("", "send"), 4);
        assert_eq!(distance("Page", "page"), 0);
    }

    #[test]
    fn the_nearest_of_several_is_named() {
        let names = ["message-history", "message-send", "pagination"];
        assert_eq!(nearest("pagnation", names.into_iter()), Some("pagination"));
        assert_eq!(nearest("x", std::iter::empty()), None);
    }

    proptest! {
        #[test]
        fn the_distance_is_symmetric_and_at_most_the_longer(a in "[a-z-]{0,12}", b in "[a-z-]{0,12}") {
            prop_assert_eq!(distance(&a, &b), distance(&b, &a));
            prop_assert!(distance(&a, &b) <= a.len().max(b.len()));
            prop_assert_eq!(distance(&a, &b) == 0, a == b);
        }
    }
}
