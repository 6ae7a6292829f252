//! The client: stores a file by MTOM, fetches it again, and has it described as an attachment.

use crate::contracts::documents::{Caller, Describe, DocumentsClient, Fetch, Quota, Store};
use soapstone_runtime::client::Client;

pub async fn call(address: &str, file: &str) -> Result<(), Box<dyn std::error::Error>> {
    let content = std::fs::read(file)?;
    let by_mtom = DocumentsClient(Client::new(address)?.mtom(true));
    let by_mtom = by_mtom.with_header(&Caller { name: "example".to_owned() });
    let request = Store { name: file.to_owned(), content: content.clone().into() };
    let stored = by_mtom.store_for_all(&request).await?;
    let quota: Option<Quota> = stored.headers.get()?;
    println!("stored {} bytes, {:?} left", stored.value.size, quota.map(|quota| quota.left));

    let fetched = by_mtom.fetch(&Fetch { name: file.to_owned() }).await?;
    println!("fetched the same: {}", fetched.content.bytes()? == content);

    let attaching = DocumentsClient::new(address)?.with_attachment("picture", "image/png", content.clone());
    let described = attaching.describe_for_all(&Describe { title: "A picture".to_owned() }).await?;
    println!("{}", described.value.text);
    let copy = described.attachments.part("copy").ok_or("there is no copy")?;
    println!("the copy is the same: {}", copy.content.bytes()? == content);
    Ok(())
}
