//! The command line.

pub(crate) const USAGE: &str = "\
usage: cargo bench --bench callback -- [options]
  --count N     notifications per cell and round; 20000 unless given
  --rounds N    rounds; 9 unless given
  --check       fail when the bar is broken";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) count: usize,
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
        let mut options = Self { count: 20_000, rounds: 9, check: false, trial: true, list: false };
        let mut rest = arguments.into_iter();
        while let Some(argument) = rest.next() {
            let mut number = || rest.next()?.parse().ok().filter(|number| *number > 0);
            match argument.as_str() {
                "--bench" => options.trial = false,
                "--check" => options.check = true,
                "--list" => options.list = true,
                "--count" => options.count = number()?,
                "--rounds" => options.rounds = number()?,
                _ => return None,
            }
        }
        if options.trial {
            (options.count, options.rounds) = (100, 1);
        }
        Some(options)
    }
}
