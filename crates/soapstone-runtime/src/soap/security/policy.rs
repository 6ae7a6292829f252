//! What a service wants of messages, and how its contract says so (WS-SecurityPolicy 1.2).

use super::{Opened, Password, Security, WSU, fault};
use crate::soap::Fault;
use std::str::FromStr;

const WSP: &str = "http://schemas.xmlsoap.org/ws/2004/09/policy";
const MTOM: &str = "http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization";
const SP: &str = "http://docs.oasis-open.org/ws-sx/ws-securitypolicy/200702";

/// The ID of the policy in a contract.
const POLICY_ID: &str = "SecurityPolicy";

/// How a message has to say who sends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Username {
    /// By name and password, over TLS.
    Text,
    /// By name and the digest of a secret.
    Digest,
}

/// What a service wants of messages. Nothing: whatever they bring along counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub username: Option<Username>,
    /// Requests are signed, and so are replies.
    pub signature: bool,
    /// The bodies of requests are encrypted, and those of replies.
    pub encryption: bool,
}

impl FromStr for Policy {
    type Err = String;

    /// From words: `username-token`, `digest`, `signature`, `encryption`.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut policy = Self::default();
        for word in text.split_whitespace() {
            match word {
                "username-token" => policy.username = Some(Username::Text),
                "digest" => policy.username = Some(Username::Digest),
                "signature" => policy.signature = true,
                // The reply is encrypted for whoever has signed the request.
                "encryption" => (policy.signature, policy.encryption) = (true, true),
                other => {
                    return Err(format!(
                        "\"{other}\" is no policy: there are username-token, digest, signature and encryption"
                    ));
                }
            }
        }
        Ok(policy)
    }
}

impl Policy {
    /// Whether a service wants anything.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Sees to it that a message is secured as it has to be.
    ///
    /// # Errors
    /// The fault that says what is missing.
    pub fn met(self, security: Option<&Security>, opened: Option<&Opened>) -> Result<(), Box<Fault>> {
        let missing = |what: &str| {
            let message = format!("The policy of this service wants {what}; its contract (?wsdl) says so");
            Err(fault(&["InvalidSecurity"], &message))
        };
        let password = security.and_then(|security| security.token.as_ref()).map(|token| &token.password);
        match (self.username, password) {
            (None, _)
            | (Some(Username::Text), Some(Password::Text(_)))
            | (Some(Username::Digest), Some(Password::Digest(_))) => {}
            (Some(Username::Text), _) => return missing("a UsernameToken with the password as text"),
            (Some(Username::Digest), _) => return missing("a UsernameToken with a digest of the password"),
        }
        if self.signature && opened.is_none_or(|opened| opened.signer.is_none()) {
            return missing("a signature");
        }
        if self.encryption && opened.is_none_or(|opened| !opened.was_encrypted) {
            return missing("an encrypted body");
        }
        Ok(())
    }

    /// The policy as it stands in a contract; `is_secure`: it is served by TLS, `mtom`: binary values travel outside of
    /// envelopes.
    pub fn document(self, is_secure: bool, mtom: bool) -> String {
        let nested = |name: &str, inner: &str| format!("<sp:{name}><wsp:Policy>{inner}</wsp:Policy></sp:{name}>");
        let mut wanted = String::new();
        if self.signature {
            let token = |include: &str| {
                format!(
                    "<sp:X509Token sp:IncludeToken=\"{SP}/IncludeToken/{include}\"><wsp:Policy>\
                     <sp:WssX509V3Token10/></wsp:Policy></sp:X509Token>"
                )
            };
            // The policy's own suites know no cipher that notices changes; CXF has one of its own.
            let suite = if self.encryption {
                "<cxfp:CustomAlgorithmSuite xmlns:cxfp=\"http://cxf.apache.org/custom/security-policy\"/>"
            } else {
                "<sp:Basic256Sha256/>"
            };
            let binding = [
                nested("InitiatorToken", &token("AlwaysToRecipient")),
                nested("RecipientToken", &token("AlwaysToInitiator")),
                nested("AlgorithmSuite", suite),
                nested("Layout", "<sp:Lax/>"),
                "<sp:IncludeTimestamp/><sp:OnlySignEntireHeadersAndBody/>".to_owned(),
            ];
            wanted.push_str(&nested("AsymmetricBinding", &binding.concat()));
            let wsa = crate::soap::WSA;
            wanted.push_str(&format!("<sp:SignedParts><sp:Body/><sp:Header Namespace=\"{wsa}\"/></sp:SignedParts>"));
            if self.encryption {
                wanted.push_str("<sp:EncryptedParts><sp:Body/></sp:EncryptedParts>");
            }
            wanted.push_str("<sp:Wss11><wsp:Policy><sp:MustSupportRefThumbprint/></wsp:Policy></sp:Wss11>");
        } else if is_secure && self.username.is_some() {
            let binding = [
                nested("TransportToken", &nested("HttpsToken", "")),
                nested("AlgorithmSuite", "<sp:Basic256Sha256/>"),
                nested("Layout", "<sp:Lax/>"),
            ];
            wanted.push_str(&nested("TransportBinding", &binding.concat()));
        }
        if let Some(username) = self.username {
            let kind = if username == Username::Digest { "<sp:HashPassword/>" } else { "" };
            let token = format!(
                "<sp:UsernameToken sp:IncludeToken=\"{SP}/IncludeToken/AlwaysToRecipient\"><wsp:Policy>{kind}\
                 <sp:WssUsernameToken10/></wsp:Policy></sp:UsernameToken>"
            );
            wanted
                .push_str(&nested(if self.signature { "SignedSupportingTokens" } else { "SupportingTokens" }, &token));
        }
        if mtom {
            wanted.push_str(&format!("<wsoma:OptimizedMimeSerialization xmlns:wsoma=\"{MTOM}\"/>"));
        }
        format!(
            "<wsp:Policy xmlns:wsp=\"{WSP}\" xmlns:sp=\"{SP}\" xmlns:wsu=\"{WSU}\" wsu:Id=\"{POLICY_ID}\"><wsp:ExactlyOne>\
             <wsp:All>{wanted}</wsp:All></wsp:ExactlyOne></wsp:Policy>"
        )
    }

    /// The reference to it.
    pub(crate) fn reference() -> String {
        format!("<wsp:PolicyReference xmlns:wsp=\"{WSP}\" URI=\"#{POLICY_ID}\"/>")
    }
}
