//! Cutting a message's header into fields, as BODY[HEADER.FIELDS] and SEARCH HEADER need it.
//!
//! Bytes stay bytes: nothing is decoded, and what is no field (a broken line) belongs to none.

/// One field with its continuation lines.
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    /// From the name to the last line end.
    pub(super) raw: &'a [u8],
}

impl Field<'_> {
    /// What comes after the colon, continuation lines joined.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let value = self.raw.splitn(2, |byte| *byte == b':').nth(1).unwrap_or_default();
        value.trim_ascii().iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).copied().collect()
    }

    /// The same as text.
    pub(super) fn value(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).into_owned()
    }

    pub(super) fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// The fields of a header in their order.
pub(super) fn split(header: &[u8]) -> Vec<Field<'_>> {
    let mut fields = Vec::new();
    let mut rest = header;
    while !rest.is_empty() {
        let mut end = 0;
        for line in rest.split_inclusive(|byte| *byte == b'\n') {
            let continues = line.first().is_some_and(|byte| matches!(byte, b' ' | b'\t'));
            if end > 0 && !continues {
                break;
            }
            end += line.len();
        }
        let (raw, after) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if let Some(colon) = raw.iter().position(|byte| *byte == b':') {
            fields.extend(raw.get(..colon).map(|name| Field { name: name.trim_ascii_end(), raw }));
        }
        rest = after;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folded_field_is_one_and_a_broken_line_is_none() {
        let fields = split(b"Subject: a\r\n b\r\nno colon here\r\nMESSAGE-ID: <x@y>\r\n\r\n");
        assert_eq!(fields.len(), 2);
        assert_eq!((fields[0].raw, fields[0].value()), (&b"Subject: a\r\n b\r\n"[..], "a b".to_owned()));
        assert!(fields[1].is(b"Message-ID"));
        assert_eq!(fields[1].value(), "<x@y>");
    }
}
