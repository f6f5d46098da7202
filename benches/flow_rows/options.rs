//! The command line.

pub(crate) const USAGE: &str = "\
usage: cargo bench --bench flow_rows -- [options]
  --rows N      rows of the file; 10000000 unless given
  --rounds N    rounds; 5 unless given
  --check       fail when a bar is broken";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) rows: u32,
    pub(crate) rounds: usize,
    pub(crate) check: bool,
    /// A short run to see that it works; it judges nothing.
    pub(crate) trial: bool,
    /// The test runner wants a list of tests, and there are none.
    pub(crate) list: bool,
}

impl Options {
    /// Reads the arguments. None when they make no sense.
    ///
    /// Cargo gives `--bench` when it benches; without it this is a short trial.
    pub(crate) fn read(arguments: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut options = Self { rows: 10_000_000, rounds: 5, check: false, trial: true, list: false };
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--bench" => options.trial = false,
                "--check" => options.check = true,
                "--list" => options.list = true,
                "--rows" => options.rows = rest.next()?.parse().ok()?,
                "--rounds" => options.rounds = rest.next()?.parse().ok().filter(|rounds| *rounds > 0)?,
                _ => return None,
            }
        }
        if options.trial {
            (options.rows, options.rounds) = (1000, 1);
        }
        Some(options)
    }
}
