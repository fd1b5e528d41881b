/**
 * Each thread of the store, by the name that it is started under. For a bundle: there, the one file that holds
 * all of them begins the thread whose name it is given.
 */
export const STORE_THREADS: Readonly<Record<string, () => Promise<unknown>>> = {
  "sluice-writer": () => import("./head/writer-thread.ts"),
  "sluice-checkpoint": () => import("./head/checkpoint-thread.ts"),
  "sluice-maintenance": () => import("./maintenance/maintenance-thread.ts"),
  "sluice-search": () => import("./search/search-thread.ts"),
  "sluice-backup": () => import("./backup/backup-thread.ts"),
  "sluice-doctor": () => import("./doctor/doctor-thread.ts"),
};
