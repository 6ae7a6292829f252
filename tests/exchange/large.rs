//! 100,000 articles: streamed, in memory that does not grow with the file.

use super::counters;
use crate::support::{Site, catalogue, on_each_database};
use std::fs::File;
use std::process::Stdio;
use std::time::Duration;

const ARTICLES: u32 = 100_000;

/// Bytes that a process may have had at most, ever.
const MEMORY: u64 = 200 << 20;

on_each_database! {
    fn memory_stays_bounded(database) {
        let site = Site::new(database);
        let path = site.folder().join("articles.xml");
        catalogue::write(ARTICLES, File::create(&path).unwrap()).unwrap();
        let size = path.metadata().unwrap().len();
        assert!((90_000_000..100_000_000).contains(&size), "{size}");
        let mut child = site
            .command(&["import", "articles", "articles.xml", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut peak = 0;
        while child.try_wait().unwrap().is_none() {
            peak = peak.max(high_water_mark(child.id()));
            std::thread::sleep(Duration::from_millis(20));
        }
        let run = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
        assert_eq!(counters(&run), format!("read {ARTICLES}, created {ARTICLES}"));
        println!("peak memory {} MB for a file of {} MB", peak >> 20, size >> 20);
        assert!(peak > 0 && peak < MEMORY, "{peak} bytes");
    }
}

/// The most memory a process ever had, as the kernel counts it; 0 when it has ended.
fn high_water_mark(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kilobytes| kilobytes << 10)
}
