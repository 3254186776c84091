//! What a client calls a prepared statement with.

use super::statement::Statement;

/// A statement that a client has the server run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// As the client prepared it.
    pub statement: Statement,
    /// What stands for `$1`, `$2`, ..., in the form that the client sends it in (sqlx: its
    /// type's binary one); none is NULL.
    pub parameters: Vec<Parameter>,
}

type Parameter = Option<Vec<u8>>;

/// The name of the statement that a Bind message is of, with its zero, and the parameters.
pub(super) fn read(body: &[u8]) -> Option<(&[u8], Vec<Parameter>)> {
    let (_portal, body) = after_zero(body)?;
    let (name, body) = after_zero(body)?;
    let (formats, body) = short(body)?;
    let (_formats, body) = body.split_at_checked(2 * usize::from(formats))?;
    let (count, mut body) = short(body)?;
    let mut parameters = Vec::new();
    for _ in 0..count {
        let (length, rest) = body.split_first_chunk()?;
        // Minus one is NULL, which has no bytes.
        let (value, rest) = match usize::try_from(i32::from_be_bytes(*length)) {
            Ok(length) => {
                let (value, rest) = rest.split_at_checked(length)?;
                (Some(value.to_vec()), rest)
            }
            Err(_) => (None, rest),
        };
        body = rest;
        parameters.push(value);
    }
    Some((name, parameters))
}

/// Splits after the first zero.
pub(super) fn after_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    bytes.split_at_checked(end + 1)
}

fn short(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_whatever_their_forms_and_null_is_none() {
        let one_form = b"\0s1\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\0";
        let due = vec![Some(b"ab".to_vec()), None];
        assert_eq!(read(one_form), Some((&b"s1\0"[..], due)));
        let each_its_own = b"p\0\0\0\x02\0\0\0\x01\0\x02\0\0\0\0\0\0\0\x01c\0\0";
        let due = vec![Some(Vec::new()), Some(b"c".to_vec())];
        assert_eq!(read(each_its_own), Some((&b"\0"[..], due)));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        let whole = b"\0s1\0\0\x01\0\x01\0\x01\0\0\0\x02ab";
        assert!(read(whole).is_some());
        for length in 0..whole.len() {
            assert_eq!(read(&whole[..length]), None, "{length} bytes");
        }
    }
}
