//! What a client calls a prepared statement with.

use super::statements::Statement;

/// A statement that a client has the server run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// As the client prepared it.
    pub statement: Statement,
    /// What stands for `$1`, `$2`, ...
    pub parameters: Vec<Parameter>,
}

/// A parameter as it is on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Whether it is in its type's binary form rather than as text.
    pub binary: bool,
    /// None is NULL.
    pub value: Option<Vec<u8>>,
}

/// The name of the statement that a Bind message is of, with its zero, and the parameters.
pub(super) fn read(body: &[u8]) -> Option<(&[u8], Vec<Parameter>)> {
    let (_portal, body) = after_zero(body)?;
    let (name, body) = after_zero(body)?;
    let (formats, mut body) = short(body)?;
    let mut binary = Vec::new();
    for _ in 0..formats {
        let (format, rest) = short(body)?;
        binary.push(format == 1);
        body = rest;
    }
    let (parameters, mut body) = short(body)?;
    let mut read = Vec::new();
    for place in 0..usize::from(parameters) {
        let (length, rest) = body.split_first_chunk()?;
        let length = i32::from_be_bytes(*length);
        // Minus one is NULL, which has no bytes.
        let (value, rest) = match usize::try_from(length) {
            Ok(length) => {
                let (value, rest) = rest.split_at_checked(length)?;
                (Some(value.to_vec()), rest)
            }
            Err(_) => (None, rest),
        };
        body = rest;
        read.push(Parameter {
            // One format is all parameters'; none is text.
            binary: match binary[..] {
                [all] => all,
                _ => binary.get(place).copied().unwrap_or_default(),
            },
            value,
        });
    }
    Some((name, read))
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

    fn parameter(binary: bool, value: Option<&[u8]>) -> Parameter {
        Parameter {
            binary,
            value: value.map(<[u8]>::to_vec),
        }
    }

    #[test]
    fn parameters_are_read_with_their_forms_and_null_is_none() {
        let one_form = b"\0s1\0\0\x01\0\x01\0\x02\0\0\0\x02ab\xff\xff\xff\xff\0\0";
        assert_eq!(
            read(one_form),
            Some((
                &b"s1\0"[..],
                vec![parameter(true, Some(b"ab")), parameter(true, None)]
            ))
        );
        let each_its_own = b"p\0\0\0\x02\0\0\0\x01\0\x02\0\0\0\0\0\0\0\x01c\0\0";
        assert_eq!(
            read(each_its_own),
            Some((
                &b"\0"[..],
                vec![parameter(false, Some(b"")), parameter(true, Some(b"c"))]
            ))
        );
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
