import { packageVersion } from "@sluice/service";

/** The version of this app. */
export const VERSION: string = packageVersion(import.meta.url);
