//! ClickHouse's queries on their way to the server: HTTP requests, read, and changed where
//! somebody wants.

use std::ops::Range;
use std::sync::Arc;

/// A query as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The SQL text.
    pub text: String,
    /// What stands for `{name:Type}`, each by the name of its setting, `param_name`.
    pub parameters: Vec<(String, String)>,
}

/// See [`super::Rewrite::with_queries`].
pub(super) type SeeOrChange = dyn Fn(&Query) -> Option<String> + Send + Sync;

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

/// Where in a request a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Before a request, or in one whose length is told: held until it has come whole.
    Request,
    /// In the chunks of one whose length is not, as that of rows to be inserted.
    Chunks,
}

/// One client's requests on a connection.
pub(super) struct Queries {
    rewrite: Arc<SeeOrChange>,
    phase: Phase,
    held: Vec<u8>,
}

impl Queries {
    pub(super) fn new(rewrite: Arc<SeeOrChange>) -> Self {
        Self {
            rewrite,
            phase: Phase::Request,
            held: Vec::new(),
        }
    }

    /// Takes what has come and gives what is to be passed on now.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let mut passed = Vec::with_capacity(self.held.len());
        loop {
            let next = match self.phase {
                Phase::Request => self.request(),
                Phase::Chunks => self.chunk(),
            };
            match next {
                Some(next) => passed.extend(next),
                None => return passed,
            }
        }
    }

    /// What is still held at the end: a request that was cut off.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// The next request, or its head where chunks follow, if it has come whole.
    fn request(&mut self) -> Option<Vec<u8>> {
        let body = find(&self.held, END_OF_HEAD)? + END_OF_HEAD.len();
        let head = String::from_utf8_lossy(&self.held[..body]).into_owned();
        let chunks = header(&head, "transfer-encoding").is_some();
        let length = header(&head, "content-length").and_then(|length| length.parse().ok());
        let end = body + if chunks { 0 } else { length.unwrap_or(0) };
        if self.held.len() < end {
            return None;
        }
        if chunks {
            self.phase = Phase::Chunks;
        }
        let request: Vec<u8> = self.held.drain(..end).collect();
        Some(self.rewritten(&head, &request[body..]).unwrap_or(request))
    }

    /// The next chunk with its length before it, if it has come whole. One of no length is the
    /// last.
    fn chunk(&mut self) -> Option<Vec<u8>> {
        let line = find(&self.held, b"\r\n")? + 2;
        let digits = self.held[..line].split(|byte| b";\r".contains(byte)).next();
        let digits = std::str::from_utf8(digits.unwrap_or_default()).ok()?;
        let length = usize::from_str_radix(digits.trim(), 16).ok()?;
        let end = line + length + 2;
        if self.held.len() < end {
            return None;
        }
        if length == 0 {
            self.phase = Phase::Request;
        }
        Some(self.held.drain(..end).collect())
    }

    /// A request with another query in it; `None` when it has none, or keeps it. What stands in
    /// the address is none: rows follow it.
    fn rewritten(&self, head: &str, body: &[u8]) -> Option<Vec<u8>> {
        let address = head.lines().next()?;
        if address.contains("?query=") || address.contains("&query=") {
            return None;
        }
        let body = std::str::from_utf8(body).ok()?;
        let fields = fields(head, body);
        let place = match &fields {
            None => 0..body.len(),
            Some(fields) => fields.iter().find(|(name, _)| *name == "query")?.1.clone(),
        };
        let parameters = fields.into_iter().flatten();
        let parameters = parameters.filter(|(name, _)| name.starts_with("param_"));
        let query = Query {
            text: body[place.clone()].to_owned(),
            parameters: parameters
                .map(|(name, value)| (name.to_owned(), body[value].to_owned()))
                .collect(),
        };
        let text = (self.rewrite)(&query)?;
        let body = [&body[..place.start], &text, &body[place.end..]].concat();
        Some((with_length(head, body.len()) + &body).into_bytes())
    }
}

/// The fields of a form with where their values stand; `None` when the body is none.
fn fields<'a>(head: &str, body: &'a str) -> Option<Vec<(&'a str, Range<usize>)>> {
    const NAME: &str = "name=\"";
    let (_, boundary) = header(head, "content-type")?.split_once("boundary=")?;
    let border = format!("\r\n--{boundary}");
    let (mut fields, mut at) = (Vec::new(), 0);
    while let Some(name) = body[at..].find(NAME) {
        let name = at + name + NAME.len();
        let end_of_name = name + body[name..].find('"')?;
        let value = end_of_name + body[end_of_name..].find("\r\n\r\n")? + END_OF_HEAD.len();
        let end = value + body[value..].find(&border)?;
        fields.push((&body[name..end_of_name], value..end));
        at = end;
    }
    Some(fields)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let lines = head.lines().filter_map(|line| line.split_once(':'));
    let mut named = lines.filter(|(of, _)| of.eq_ignore_ascii_case(name));
    named.next().map(|(_, value)| value.trim())
}

/// A request's head with another length of its body.
fn with_length(head: &str, length: usize) -> String {
    let lines = head
        .split_inclusive("\r\n")
        .map(|line| match line.split_once(':') {
            Some((name, _)) if name.eq_ignore_ascii_case("content-length") => {
                format!("{name}: {length}\r\n")
            }
            _ => line.to_owned(),
        });
    lines.collect()
}

fn find(bytes: &[u8], sought: &[u8]) -> Option<usize> {
    bytes
        .windows(sought.len())
        .position(|window| window == sought)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    const FORM: &str = "multipart/form-data; boundary=border";

    fn form(query: &str) -> String {
        let field = |name: &str, value: &str| {
            format!(
                "--border\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        };
        [
            field("query", query),
            field("param_user", "o'b\r\nrien"),
            "--border--\r\n".to_owned(),
        ]
        .concat()
    }

    fn request(content_type: &str, body: &str) -> Vec<u8> {
        let length = body.len();
        format!(
            "POST /?database=d HTTP/1.1\r\ncontent-type: {content_type}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    fn insert() -> Vec<u8> {
        b"POST /?query=INSERT HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n\
          8\r\nSELECT 1\r\n0\r\n\r\n"
            .to_vec()
    }

    /// Another number in place of the one, and what was seen.
    fn queries() -> (Queries, Arc<Mutex<Vec<Query>>>) {
        let seen: Arc<Mutex<Vec<Query>>> = Arc::default();
        let seeing = Arc::clone(&seen);
        let queries = Queries::new(Arc::new(move |query: &Query| {
            seeing.lock().unwrap().push(query.clone());
            let one = query.text.strip_suffix('1')?;
            Some(format!("{one}10"))
        }));
        (queries, seen)
    }

    #[test]
    fn a_query_is_changed_however_its_requests_are_cut_and_rows_are_carried_as_they_are() {
        let sent = [
            request("text/plain", "SELECT 1"),
            insert(),
            request(FORM, &form("SELECT {user:String}, 1")),
            request("text/plain", "SELECT 2"),
        ];
        let due = [
            request("text/plain", "SELECT 10"),
            insert(),
            request(FORM, &form("SELECT {user:String}, 10")),
            request("text/plain", "SELECT 2"),
        ]
        .concat();
        let sent = sent.concat();
        for size in 1..=sent.len() {
            let (mut queries, seen) = queries();
            let passed: Vec<u8> = sent
                .chunks(size)
                .flat_map(|piece| queries.take(piece))
                .collect();
            assert_eq!(passed, due, "in pieces of {size}");
            let seen = seen.lock().unwrap();
            assert_eq!(
                seen[1].parameters,
                [("param_user".to_owned(), "o'b\r\nrien".to_owned())]
            );
            assert_eq!(seen[2].text, "SELECT 2");
        }
    }

    #[test]
    fn what_is_cut_off_is_not_lost() {
        let (mut queries, _) = queries();
        let sent = request("text/plain", "SELECT 1");
        let passed = queries.take(&sent[..sent.len() - 2]);
        assert_eq!([passed, queries.rest()].concat(), sent[..sent.len() - 2]);
    }
}
