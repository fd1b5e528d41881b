import { Refusal } from "./access.ts";
import type { Access } from "./access.ts";
import type { PathReports } from "./finder.ts";
import { isSameObject } from "./identity.ts";
import { statPath } from "./open-file.ts";
import type { FileStat, OpenFile } from "./open-file.ts";
import { Surveyor } from "./survey.ts";
import type { ArchiveFile, SurveyedFile } from "./survey.ts";

/** What a file source sees of the disk. What it may not see is reported, and taken for out of reach. */
export class Disk {
  readonly #access: Access;
  readonly #reports: PathReports;
  readonly #surveyor: Surveyor;

  constructor(access: Access, reports: PathReports, wallMs: () => number) {
    this.#access = access;
    this.#reports = reports;
    this.#surveyor = new Surveyor(wallMs);
  }

  /** Rotated siblings of a path that are not compressed, the oldest first, then the file at the path. */
  survey(path: string): readonly SurveyedFile[] {
    return this.#surveyor.survey(path).filter((file) => file.format === undefined);
  }

  /** The compressed siblings, the oldest first, less those that are being made of a file still there. */
  archives(path: string): readonly ArchiveFile[] {
    const files = this.#surveyor.survey(path);
    return files.filter((file): file is ArchiveFile => {
      const { format } = file;
      if (format === undefined) return false;
      const original = file.path.slice(0, -format.length - 1);
      return !files.some((other) => other.path === original);
    });
  }

  /** Those of the paths that have archives, where anything in their folder has a new name since last asked. */
  withNewArchives(paths: readonly string[]): readonly string[] {
    return this.#surveyor.withNewArchives(paths);
  }

  /** All of them. */
  surveyAll(path: string): readonly SurveyedFile[] {
    return this.#surveyor.survey(path);
  }

  /** Folder listings are kept for one scan. */
  forgetListings(): void {
    this.#surveyor.forget();
  }

  /** Opens the file that was seen at a path; undefined where it is another one by now, or refused. */
  open(path: string, seen: Pick<FileStat, "dev" | "ino" | "bornNs">): OpenFile | undefined {
    let file: OpenFile;
    try {
      file = this.#access.open(path);
    } catch (error) {
      if (error instanceof Refusal) {
        return this.#reports.refused(path, error.reason, error.leadsTo);
      }
      return this.#reports.unreadable(path, error);
    }
    this.#reports.readable(path);
    if (isSameObject({ dev: seen.dev, ino: seen.ino, bornNs: seen.bornNs }, file.stat())) {
      return file;
    }
    file.close();
    return undefined;
  }

  /** The path may not even be looked at. */
  isHidden(path: string): boolean {
    try {
      statPath(path);
      return false;
    } catch (error) {
      this.#reports.unreadable(path, error);
      return true;
    }
  }
}
