//! `soapstone contract mock`

use super::gateway::Served;
use crate::cli::{Global, Outcome};
use crate::dynamic::{self, Handler, Loaded};
use clap::Args;
use std::path::PathBuf;
use std::sync::Arc;

/// Serve a contract without any code: samples, or canned answers
#[derive(Args)]
#[command(after_help = "\
A folder of canned answers has files OPERATION.xml, or OPERATION-ANYTHING.xml that begin with a condition on the
request, an XPath that may use the contract's prefixes:

  <!-- when: //cat:sku = 'A-1' -->
  <cat:GetArticleResponse xmlns:cat=\"urn:soapstone:catalog/v1\">…</cat:GetArticleResponse>

A file may have the body's content, or a whole envelope, which may be a fault. What no file answers is answered with
a sample. Requests are validated and logged; --set log=debug logs their content as well.")]
pub(super) struct Mock {
    #[command(flatten)]
    served: Served,
    /// Folder of canned answers
    #[arg(long, value_name = "FOLDER")]
    answers: Option<PathBuf>,
}

impl Mock {
    pub fn run(&self, global: &Global) -> Outcome {
        let loaded = Loaded::of(&super::generator(&self.served.file)?)?;
        let mock = match &self.answers {
            Some(folder) => dynamic::Mock::from_folder(folder, &loaded)?,
            None => dynamic::Mock::default(),
        };
        let handler: Arc<dyn Handler> = Arc::new(mock);
        self.served.run(global, &loaded, &handler, "mock")
    }
}
