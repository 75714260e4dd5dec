// Waits until the process that created a server ends (its end of our standard input closes, even after kill -9), then
// stops the server and deletes the folder, unless they are gone already or a file `keep` says to leave them alone.
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const homeDirectory = process.argv[2] ?? '';
if (!path.basename(homeDirectory).startsWith('lizsync-postgres-')) {
  throw new Error(`Not the folder of a server: ${homeDirectory}`);
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

process.stdin.resume();
await new Promise((resolve) => {
  process.stdin.once('close', resolve).once('end', resolve).once('error', resolve);
});

if (fs.existsSync(homeDirectory) && !fs.existsSync(path.join(homeDirectory, 'keep'))) {
  const pidFile = path.join(homeDirectory, 'data', 'postmaster.pid');
  const pid = fs.existsSync(pidFile) ? Number.parseInt(fs.readFileSync(pidFile, 'utf8'), 10) : 0;
  if (pid > 1 && isAlive(pid)) {
    process.kill(pid, 'SIGQUIT');
    for (let attempt = 0; attempt < 100 && isAlive(pid) && fs.existsSync(pidFile); attempt++) {
      await wait(50);
    }
  }
  fs.rmSync(homeDirectory, { recursive: true, force: true, maxRetries: 5 });
}
