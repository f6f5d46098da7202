// Language and theme: chosen once, kept in this browser.

const keep = (name, value) => {
  try {
    localStorage.setItem(`favor.${name}`, value);
  } catch {
    // A browser that keeps nothing still shows the choice.
  }
};
const kept = (name) => {
  try {
    return localStorage.getItem(`favor.${name}`);
  } catch {
    return null;
  }
};

export const THEMES = ['auto', 'light', 'dark'];
let language = kept('language') ?? (navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en');
let theme = THEMES.includes(kept('theme')) ? kept('theme') : 'auto';

export const currentLanguage = () => language;
export const currentTheme = () => theme;

export function apply() {
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.documentElement.dataset.theme = theme;
}

export function setLanguage(wanted) {
  language = wanted === 'zh' ? 'zh' : 'en';
  keep('language', language);
  apply();
}

export function setTheme(wanted) {
  theme = wanted;
  keep('theme', theme);
  apply();
}
