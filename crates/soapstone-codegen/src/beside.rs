//! What travels beside the body of a message: header blocks and attachments (WSDL 1.1, sections 3.7 and 5).

use crate::lower::Lowerer;
use crate::service::Lowering;
use soapstone_contract::model::{Attachment, BodyUse, QName};

/// Header blocks and attachments of a message.
#[derive(Clone, Debug, Default)]
pub struct Beside {
    /// The items of the header blocks.
    pub headers: Vec<usize>,
    /// The items of the header blocks that faults come with.
    pub header_faults: Vec<usize>,
    pub attachments: Vec<Attachment>,
}

impl Lowering<'_> {
    /// What a binding puts beside the body.
    pub(crate) fn beside(&self, lowerer: &mut Lowerer<'_>, body: Option<&BodyUse>) -> Beside {
        let mut beside = Beside::default();
        let Some(body) = body else { return beside };
        for header in &body.headers {
            let namespace = header.namespace.as_deref().unwrap_or("");
            let item = self.header(lowerer, &header.message, &header.part, namespace);
            beside.headers.extend(item.filter(|item| !beside.headers.contains(item)));
            for (message, part) in &header.faults {
                let item = self.header(lowerer, message, part, namespace);
                beside.header_faults.extend(item.filter(|item| !beside.header_faults.contains(item)));
            }
        }
        beside.attachments.clone_from(&body.attachments);
        beside
    }

    fn header(&self, lowerer: &mut Lowerer<'_>, message: &QName, part: &str, namespace: &str) -> Option<usize> {
        let message = self.find(message)?;
        let part = message.parts.iter().find(|p| p.name == part)?;
        let wanted = format!("{} {} header", message.name.local, part.name);
        self.part_item(lowerer, message, part, namespace, &wanted)
    }
}
