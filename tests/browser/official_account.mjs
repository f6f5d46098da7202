// The card API as the server of an Official Account calls it.

const PICTURE = 'http://mmbiz.qpic.cn/mmbiz_png/INVENTEDlogo/0';

export const base = (title, change = {}) => ({
  logo_url: PICTURE, brand_name: 'Tea Nook', code_type: 'CODE_TYPE_QRCODE', title, color: 'Color090',
  notice: 'Show this at the bar', description: 'One per table.',
  date_info: { type: 'DATE_TYPE_FIX_TERM', fixed_term: 30, fixed_begin_term: 0 },
  sku: { quantity: 500 }, get_limit: 5, location_id_list: [300001], ...change,
});

export const groupon = (title, change) =>
  ({ card: { card_type: 'GROUPON', groupon: { base_info: base(title, change), deal_detail: '2 pots of tea' } } });

export const memberCard = (title) => ({
  card: {
    card_type: 'MEMBER_CARD',
    member_card: {
      base_info: base(title, { date_info: { type: 'DATE_TYPE_PERMANENT' } }), prerogative: '5% back in points',
      supply_bonus: true, supply_balance: true, wx_activate: true,
    },
  },
});

/** Calls of the mirror's first account, with a token of its own. */
export async function officialAccount(mirror) {
  const query = new URLSearchParams({ grant_type: 'client_credential', appid: mirror.appid, secret: mirror.app_secret });
  const told = await (await fetch(`${mirror.base_url}/cgi-bin/token?${query}`)).json();
  if (!told.access_token) throw new Error(JSON.stringify(told));

  /** Answers whatever comes: a refusal too has HTTP 200. A text is sent as it is. */
  async function call(path, body) {
    const target = `${mirror.base_url}${path}?access_token=${encodeURIComponent(told.access_token)}`;
    const headers = { 'content-type': 'application/json; charset=utf-8' };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    return (await fetch(target, { method: 'POST', headers, body: text })).json();
  }

  async function ok(path, body) {
    const answer = await call(path, body);
    if (answer.errcode !== 0) throw new Error(`${path}: ${JSON.stringify(answer)}`);
    return answer;
  }
  return { call, ok };
}
