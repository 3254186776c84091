//! ClickHouse's summaries, picked out of a stream of HTTP responses.

use serde::Deserialize;

use super::counts::Summaries;

const HEADER: &[u8] = b"\r\nx-clickhouse-summary:";
/// A header longer than this is none.
const LONGEST: usize = 16 << 10;

/// Looks for the header in one connection's responses, which come in chunks that may end
/// anywhere.
#[derive(Debug, Default)]
pub(super) struct SummaryScan {
    /// What may be the beginning of a header.
    carried: Vec<u8>,
}

impl SummaryScan {
    /// The sum of the summaries that end in this chunk; `None` if none does.
    pub(super) fn see(&mut self, chunk: &[u8]) -> Option<Summaries> {
        self.carried.extend_from_slice(chunk);
        let mut sum: Option<Summaries> = None;
        let mut at = 0;
        while let Some(found) = find(&self.carried[at..]) {
            let begin = at + found;
            let line = &self.carried[begin + HEADER.len()..];
            let Some(end) = line.iter().position(|byte| *byte == b'\r') else {
                if line.len() <= LONGEST {
                    self.carried.drain(..begin);
                    return sum;
                }
                at = begin + HEADER.len();
                continue;
            };
            if let Some(summary) = parse(&line[..end]) {
                sum = Some(sum.unwrap_or_default().plus(summary));
            }
            at = begin + HEADER.len() + end;
        }
        // Only a header that began at the very end can still become one.
        let kept = self.carried.len().saturating_sub(HEADER.len() - 1).max(at);
        self.carried.drain(..kept);
        sum
    }
}

fn find(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'\r')?;
        let candidate = bytes.get(at..at + HEADER.len())?;
        if candidate.eq_ignore_ascii_case(HEADER) {
            return Some(at);
        }
        at += 1;
    }
}

/// Numbers are texts there.
#[derive(Deserialize)]
struct Header {
    #[serde(default)]
    read_rows: String,
    #[serde(default)]
    read_bytes: String,
    #[serde(default)]
    written_rows: String,
    #[serde(default)]
    written_bytes: String,
    #[serde(default)]
    memory_usage: String,
    #[serde(default)]
    elapsed_ns: String,
}

fn parse(line: &[u8]) -> Option<Summaries> {
    let header: Header = serde_json::from_slice(line.trim_ascii()).ok()?;
    let number = |text: String| text.parse().unwrap_or_default();
    Some(Summaries {
        requests: 1,
        read_rows: number(header.read_rows),
        read_bytes: number(header.read_bytes),
        written_rows: number(header.written_rows),
        written_bytes: number(header.written_bytes),
        memory_bytes: number(header.memory_usage),
        elapsed_ns: number(header.elapsed_ns),
    })
}

impl Summaries {
    fn plus(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            read_rows: self.read_rows.saturating_add(other.read_rows),
            read_bytes: self.read_bytes.saturating_add(other.read_bytes),
            written_rows: self.written_rows.saturating_add(other.written_rows),
            written_bytes: self.written_bytes.saturating_add(other.written_bytes),
            memory_bytes: self.memory_bytes.saturating_add(other.memory_bytes),
            elapsed_ns: self.elapsed_ns.saturating_add(other.elapsed_ns),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn responses() -> Vec<u8> {
        let response = |rows: u64| {
            format!(
                "HTTP/1.1 200 OK\r\nX-ClickHouse-Summary: {{\"read_rows\":\"{rows}\",\"read_bytes\":\"8\",\"written_rows\":\"2\",\"elapsed_ns\":\"9\",\
                 \"memory_usage\":\"100\"}}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nrows\r\r\n0\r\n\r\n"
            )
        };
        (response(30) + &response(12)).into_bytes()
    }

    #[test]
    fn headers_are_found_however_the_stream_is_cut() {
        let stream = responses();
        for length in 1..=stream.len() {
            let mut scan = SummaryScan::default();
            let sum = stream
                .chunks(length)
                .filter_map(|chunk| scan.see(chunk))
                .fold(Summaries::default(), Summaries::plus);
            let expected = Summaries {
                requests: 2,
                read_rows: 42,
                read_bytes: 16,
                written_rows: 4,
                written_bytes: 0,
                memory_bytes: 200,
                elapsed_ns: 18,
            };
            assert_eq!(sum, expected, "in chunks of {length}");
        }
    }

    #[test]
    fn what_is_no_summary_is_passed_over_and_not_kept() {
        let mut scan = SummaryScan::default();
        let noise = b"\r\nX-ClickHouse-Summary: ".repeat(3000);
        assert_eq!(scan.see(&noise), None);
        assert_eq!(scan.see(&b"\r".repeat(1 << 16)), None);
        assert!(scan.carried.len() <= LONGEST + HEADER.len());
        assert_eq!(scan.see(&responses()).unwrap().requests, 2);
    }
}
