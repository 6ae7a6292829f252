//! Commands that go on until somebody ends them.

/// Waits until somebody wants it to end.
pub(super) async fn until_told() -> std::io::Result<()> {
    use actix_web::rt::signal;
    #[cfg(unix)]
    {
        let mut terminated = signal::unix::signal(signal::unix::SignalKind::terminate())?;
        let interrupted = signal::ctrl_c();
        let terminated = terminated.recv();
        futures_util::pin_mut!(interrupted, terminated);
        futures_util::future::select(interrupted, terminated).await;
    }
    #[cfg(not(unix))]
    signal::ctrl_c().await?;
    Ok(())
}
