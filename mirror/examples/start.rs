//! x
fn main() {
    let rt = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    rt.block_on(async {
        for _ in 0..5 {
            let t = std::time::Instant::now();
            let m = favor_mirror::Mirror::builder().start().await.unwrap();
            let d = t.elapsed();
            let t = std::time::Instant::now();
            m.shutdown().await;
            println!("{d:?} shutdown {:?}", t.elapsed());
        }
    });
}
