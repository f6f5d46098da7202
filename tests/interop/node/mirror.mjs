// Starts `favor mirror` and reads its ready line.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { once } from 'node:events';
import { existsSync } from 'node:fs';

const favor = process.env.FAVOR_BIN ?? fileURLToPath(new URL('../../../target/debug/favor', import.meta.url));

export async function startMirror() {
  if (!existsSync(favor)) throw new Error(`${favor} is missing: run "cargo build" first, or use "make judges"`);
  const child = spawn(favor, ['mirror', '--output', 'json', '--quiet'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [line] = await Promise.race([
    once(lines, 'line'),
    once(child, 'exit').then(([code]) => { throw new Error(`favor mirror ended early with ${code}`); }),
  ]);
  const ready = JSON.parse(line);
  return {
    ready,
    ...handle(ready),
    async stop() {
      child.kill('SIGTERM');
      const [code] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
      return code;
    },
  };
}

// A mirror that runs elsewhere: its ready line, and its control calls.
export function handle(ready) {
  return {
    ...ready,
    async control(path, body, method = 'POST') {
      const init = { method, headers: { 'content-type': 'application/json' } };
      if (body !== undefined) init.body = JSON.stringify(body);
      const response = await fetch(`${ready.base_url}/_mirror/${path}`, init);
      const text = await response.text();
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
      return text ? JSON.parse(text) : undefined;
    },
  };
}
