//! Which release each hook has heard of: `.hooks/<hook>/<mchid>`, a generation as digits.

use favor_core::MerchantId;

use super::{DirectoryError, KeyDirectory, files};

const HOOKS: &str = ".hooks";

impl KeyDirectory {
    /// The generation that a hook has heard of last; 0 before the first, and where that cannot be read: hearing twice
    /// does less harm than not at all.
    pub(crate) fn hook_done(&self, hook: &str, merchant: &MerchantId) -> u64 {
        let file = self.root().join(HOOKS).join(hook).join(merchant.as_str());
        std::fs::read_to_string(file).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
    }

    /// Notes that a hook has heard of this generation.
    pub(crate) fn set_hook_done(
        &self,
        hook: &str,
        merchant: &MerchantId,
        generation: u64,
    ) -> Result<(), DirectoryError> {
        let hooks = self.root().join(HOOKS);
        files::folder(&hooks, self.modes)?;
        let folder = hooks.join(hook);
        files::folder(&folder, self.modes)?;
        files::replace(&folder, merchant.as_str(), format!("{generation}\n").as_bytes(), self.modes)
    }
}
