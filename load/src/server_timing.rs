//! What an answer says of the time that its stages took, in the header `Server-Timing` (W3C
//! Server Timing).

use std::time::Duration;

use reqwest::header::HeaderMap;

/// A stage of an answer, and what it took.
pub(crate) type Stage = (String, Duration);

/// Stages of an answer that are read, and characters of their names.
const MOST: usize = 8;
const LONGEST_NAME: usize = 40;

/// The stages that an answer names with their time, in its order.
pub(crate) fn stages(headers: &HeaderMap) -> Vec<Stage> {
    let values = headers.get_all("server-timing").iter();
    let metrics = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    metrics.filter_map(stage).take(MOST).collect()
}

fn stage(metric: &str) -> Option<Stage> {
    let mut parts = metric.split(';').map(str::trim);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let milliseconds = parts.find_map(|part| part.strip_prefix("dur="))?;
    let milliseconds: f64 = milliseconds.trim_matches('"').parse().ok()?;
    let took = Duration::try_from_secs_f64(milliseconds / 1e3).ok()?;
    Some((name.chars().take(LONGEST_NAME).collect(), took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_time_or_an_odd_one_is_no_stage() {
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("server-timing", value.parse().unwrap());
            stages(&headers)
        };
        let stage = |name: &str, us| (name.to_owned(), Duration::from_micros(us));
        assert_eq!(
            of("candidates;dur=1.5, posts;desc=\"two\";dur=\"20\""),
            [stage("candidates", 1_500), stage("posts", 20_000)]
        );
        assert_eq!(
            of("miss, a;dur=x, b;dur=-1, c;dur=NaN, d;dur=1e300, ;dur=1"),
            []
        );
        let many: Vec<String> = (0..100).map(|n| format!("{n};dur=1")).collect();
        assert_eq!(of(&many.join(",")).len(), MOST);
        assert_eq!(
            of(&format!("{};dur=1", "n".repeat(500)))[0].0.len(),
            LONGEST_NAME
        );
    }
}
