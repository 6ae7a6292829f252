//! A secured message as libxml2 keeps it: its parts by their place, and elements by their ID.

use super::algorithm::{DS, XENC, XENC_11};
use super::{WSSE, WSU, fault};
use crate::soap::Fault;
use crate::xml::{Element, Tree};
use std::collections::HashMap;

/// The XML namespace, of `xml:id`.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// A part of a message, told by its place and not by its name: what else is called so is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Body,
    /// A block of the header, by its number.
    Header(usize),
    Timestamp,
    UsernameToken,
    /// Anything else: it counts for nothing.
    Other,
}

/// A message with its header block for us.
pub(super) struct Message<'t> {
    root: Element<'t>,
    header: Element<'t>,
    pub security: Element<'t>,
    body: Element<'t>,
    ids: HashMap<String, Element<'t>>,
}

impl<'t> Message<'t> {
    /// Finds the parts; `number` is that of the block Security in the header.
    ///
    /// # Errors
    /// The fault for a message that is built in another way, or has an ID twice: then nobody can say what is meant.
    pub fn of(tree: &'t Tree, number: usize) -> Result<Self, Box<Fault>> {
        let broken = || fault(&["InvalidSecurity"], "The secured message is no envelope with a header and a body");
        let root = tree.root().ok_or_else(broken)?;
        let mut sections = root.children();
        let (Some(header), Some(body), None) = (sections.next(), sections.next(), sections.next()) else {
            return Err(broken());
        };
        let is_envelope = header.is(root.namespace(), "Header") && body.is(root.namespace(), "Body");
        let security = header.children().nth(number).filter(|block| block.is(WSSE, "Security"));
        let security = security.filter(|_| is_envelope).ok_or_else(broken)?;
        let mut ids = HashMap::new();
        for element in root.all() {
            let own = matches!(element.namespace(), DS | XENC | XENC_11).then(|| element.attribute("", "Id")).flatten();
            for id in own.into_iter().chain(element.attribute(WSU, "Id")).chain(element.attribute(XML, "id")) {
                if ids.insert(id.clone(), element).is_some_and(|other| other != element) {
                    return Err(fault(&["InvalidSecurity"], &format!("The ID \"{id}\" stands at two elements")));
                }
            }
        }
        Ok(Self { root, header, security, body, ids })
    }

    /// The element that a reference means: `#ID`. References to anything else lead nowhere.
    pub fn referred(&self, uri: &str) -> Option<Element<'t>> {
        uri.strip_prefix('#').filter(|id| !id.is_empty()).and_then(|id| self.ids.get(id)).copied()
    }

    /// What an element is.
    pub fn part(&self, element: Element<'t>) -> Part {
        if element == self.body {
            return Part::Body;
        }
        match element.parent() {
            Some(parent) if parent == self.header => {
                self.header.children().position(|block| block == element).map_or(Part::Other, Part::Header)
            }
            Some(parent) if parent == self.security && element.is(WSU, "Timestamp") => Part::Timestamp,
            Some(parent) if parent == self.security && element.is(WSSE, "UsernameToken") => Part::UsernameToken,
            _ => Part::Other,
        }
    }

    /// Whether an element is the envelope itself: signatures of all that there is would cover themselves.
    pub fn is_whole(&self, element: Element<'t>) -> bool {
        element == self.root
    }

    /// Whether an element stands in the body, or right in our own block.
    pub fn may_be_encrypted(&self, element: Element<'t>) -> bool {
        element.parent() == Some(self.security)
            || std::iter::successors(element.parent(), |at| at.parent()).any(|at| at == self.body)
    }

    /// Whether a reference means all that is in the body.
    pub fn is_body_content(&self, uri: &str) -> bool {
        let mut content = self.body.children();
        content.next().is_some_and(|only| self.referred(uri) == Some(only)) && content.next().is_none()
    }

    /// Whether an element stands right in our own block.
    pub fn is_in_block(&self, element: Element<'t>) -> bool {
        element.parent() == Some(self.security)
    }
}
