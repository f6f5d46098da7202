//! The XML of messages: one flat element list, without entities or document types (spec §7.4).

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;

/// What else is an attack.
const DEEPEST: usize = 8;
const MOST: usize = 1_024;

/// Why a body is no message. Does not quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct XmlError(&'static str);

/// The elements of a message in their order. Elements within elements are named by their way: `ScanCodeInfo/ScanType`.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads a body.
    pub(crate) fn read(body: &[u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(body).map_err(|_| XmlError("the body is not UTF-8"))?;
        let text = text.trim_start_matches('\u{feff}').trim();
        if text.is_empty() {
            return Err(XmlError("the body is empty"));
        }
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.expand_empty_elements = true;
        let mut open: Vec<Element> = Vec::new();
        let mut fields = Vec::new();
        let mut is_over = false;
        loop {
            let event = reader.read_event().map_err(|_| XmlError("the body is not well-formed XML"))?;
            match event {
                Event::Start(start) => {
                    if is_over || open.len() == DEEPEST {
                        return Err(XmlError("the XML has more than one root, or elements nested too deep"));
                    }
                    let name = start.name();
                    let name: &str = name.as_ref();
                    if open.is_empty() && name != "xml" {
                        return Err(XmlError("the root of the XML is not <xml>"));
                    }
                    if let Some(parent) = open.last_mut() {
                        parent.has_children = true;
                    }
                    open.push(Element { name: name.to_owned(), text: String::new(), has_children: false });
                }
                Event::End(_) => {
                    let Some(element) = open.pop() else {
                        return Err(XmlError("the body is not well-formed XML"));
                    };
                    is_over = open.is_empty();
                    if !is_over && !element.has_children {
                        if fields.len() == MOST {
                            return Err(XmlError("the XML has too many elements"));
                        }
                        let way = open.iter().skip(1).map(|outer| outer.name.as_str());
                        let name = way.chain([element.name.as_str()]).collect::<Vec<_>>().join("/");
                        fields.push((name, element.text.trim().to_owned()));
                    }
                }
                Event::Text(text) => add(&mut open, &text.xml10_content())?,
                Event::CData(text) => add(&mut open, &text.xml10_content())?,
                Event::GeneralRef(reference) => {
                    let entity = match reference.resolve_char_ref() {
                        Ok(Some(c)) => Some(Cow::Owned(c.to_string())),
                        Ok(None) => predefined(&reference).map(Cow::Borrowed),
                        Err(_) => None,
                    };
                    let entity = entity.ok_or(XmlError("the XML uses an entity of its own"))?;
                    add(&mut open, &entity)?;
                }
                Event::DocType(_) => {
                    return Err(XmlError("the XML has a document type, which messages never have"));
                }
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
                Event::Empty(_) => {}
                Event::Eof if is_over => return Ok(Self(fields)),
                Event::Eof => return Err(XmlError("the XML ends too early")),
            }
        }
    }

    /// The text of the first element of this name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

struct Element {
    name: String,
    text: String,
    has_children: bool,
}

fn add(open: &mut [Element], text: &str) -> Result<(), XmlError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(XmlError("there is text around the XML")),
    }
    Ok(())
}

fn predefined(name: &str) -> Option<&'static str> {
    Some(match name {
        "lt" => "<",
        "gt" => ">",
        "amp" => "&",
        "apos" => "'",
        "quot" => "\"",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_trimmed_and_unescaped_and_nested_ones_named_by_their_way() {
        let body = "\u{feff}<?xml version=\"1.0\"?>\n<xml>\n <A> <![CDATA[ p<1> ]]> </A><B>1 &amp; &#x5238;&lt;</B><C/>
            <D><E>7</E><E>8</E></D><A>again</A></xml>\n";
        let fields = Fields::read(body.as_bytes()).unwrap();
        let all: Vec<_> = fields.iter().collect();
        assert_eq!(
            all,
            [("A", "p<1>"), ("B", "1 & 券<"), ("C", ""), ("D/E", "7"), ("D/E", "8"), ("A", "again")]
        );
        assert_eq!(fields.get("A"), Some("p<1>"), "the first counts");
    }

    #[test]
    fn what_is_no_message_is_an_error_with_words() {
        let deep = format!("<xml>{}{}</xml>", "<a>".repeat(10), "</a>".repeat(10));
        let many = format!("<xml>{}</xml>", "<a/>".repeat(MOST + 1));
        let bomb =
            r#"<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><A>&b;</A></xml>"#;
        for (body, word) in [
            (bomb, "document type"),
            (r#"<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>"#, "document type"),
            ("<xml><A>&b;</A></xml>", "entity"),
            ("<xml><A>&#xD800;</A></xml>", "entity"),
            ("<xml><A>1</B></xml>", "well-formed"),
            ("<xml><A>1</A>", "too early"),
            ("<xml><A", "well-formed"),
            ("", "empty"),
            ("   ", "empty"),
            ("{}", "around"),
            ("<html></html>", "root"),
            ("<xml/><xml/>", "more than one"),
            ("<xml/>and more", "around"),
            (deep.as_str(), "too deep"),
            (many.as_str(), "too many"),
        ] {
            let error = Fields::read(body.as_bytes()).err().map(|error| error.to_string());
            assert!(error.as_ref().is_some_and(|error| error.contains(word)), "{body:.60}: {error:?}");
        }
        assert!(Fields::read(b"<xml>\xff</xml>").is_err_and(|error| error.to_string().contains("UTF-8")));
    }
}
