/** What has to hold: nothing, a leaf, all of several, or one of several. The kinds of leaves are other than these. */
export type ConditionTree<Leaf> = AlwaysTrue | Leaf | AllOf<Leaf> | AnyOf<Leaf>;

interface AlwaysTrue {
  readonly kind: "true";
}

interface AllOf<Leaf> {
  readonly kind: "all";
  readonly of: readonly ConditionTree<Leaf>[];
}

interface AnyOf<Leaf> {
  readonly kind: "any";
  readonly of: readonly ConditionTree<Leaf>[];
}

interface Kinded {
  readonly kind: string;
}

export const TRUE: AlwaysTrue = { kind: "true" };

/**
 * All of the conditions as one, nested ones unfolded.
 *
 * @param keyOf leaves of the same key are one; undefined for a leaf that is kept whatever there is
 */
export function allOf<Leaf extends Kinded>(
  conditions: readonly ConditionTree<Leaf>[],
  keyOf: (leaf: Leaf) => string | undefined,
): ConditionTree<Leaf> {
  const keys = new Set<string>();
  const of = conditions
    .flatMap((condition) => (isAllOf(condition) ? condition.of : [condition]))
    .filter((condition) => {
      if (!isLeaf(condition)) {
        return condition.kind !== "true";
      }
      const key = keyOf(condition);
      const isNew = key === undefined || !keys.has(key);
      if (key !== undefined) {
        keys.add(key);
      }
      return isNew;
    });
  const [first] = of;
  return first === undefined ? TRUE : of.length === 1 ? first : { kind: "all", of };
}

/** One of the conditions, of which there is at least one. */
export function anyOf<Leaf extends Kinded>(
  conditions: readonly ConditionTree<Leaf>[],
): ConditionTree<Leaf> {
  const [first] = conditions;
  return first === undefined || conditions.some(({ kind }) => kind === "true")
    ? TRUE
    : conditions.length === 1
      ? first
      : { kind: "any", of: conditions };
}

function isAllOf<Leaf extends Kinded>(condition: ConditionTree<Leaf>): condition is AllOf<Leaf> {
  return condition.kind === "all";
}

function isLeaf<Leaf extends Kinded>(condition: ConditionTree<Leaf>): condition is Leaf {
  return !["true", "all", "any"].includes(condition.kind);
}
