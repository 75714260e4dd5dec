import { spawnSync } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface SmallDisk {
  directory: string;
  remove(): void;
}

/** Why no small disk can be made here; undefined: it can. Mounting needs Linux and root, and is forbidden in many containers. */
export function whyNoSmallDisk(): string | undefined {
  if (process.platform !== 'linux') return 'a small disk is made on Linux only';
  if (process.getuid?.() !== 0) return 'only root can mount a small disk';
  const disk = mount(1);
  if (disk === undefined) return 'mounting a small disk is not allowed here';
  disk.remove();
  return undefined;
}

/**
 * Makes a file system in memory that holds so many megabytes and no more.
 * @param ownerOf a file or directory whose owner gets it
 */
export function createSmallDisk(megabytes: number, ownerOf: string): SmallDisk {
  const disk = mount(megabytes);
  if (disk === undefined) throw new Error('the small disk cannot be mounted');
  const { uid, gid } = statSync(ownerOf);
  chownSync(disk.directory, uid, gid);
  return disk;
}

function mount(megabytes: number): SmallDisk | undefined {
  const directory = mkdtempSync(path.join(tmpdir(), 'lizsync-disk-'));
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', directory]);
  if (status !== 0) {
    rmSync(directory, { recursive: true });
    return undefined;
  }
  return {
    directory,
    remove: () => {
      spawnSync('umount', ['-l', directory]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
