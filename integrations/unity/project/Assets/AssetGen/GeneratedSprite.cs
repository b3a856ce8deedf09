using UnityEngine;

namespace AssetGen
{
    /// <summary>Shows a random generated sprite of a type on its SpriteRenderer.</summary>
    [RequireComponent(typeof(SpriteRenderer))]
    public sealed class GeneratedSprite : MonoBehaviour
    {
        [SerializeField] private string type = "";
        [Tooltip("Empty: the project's own.")]
        [SerializeField] private SpriteCatalogue catalogue;
        private bool shown;

        /// <summary>The type, as in the catalogue; another one shows another sprite at once.</summary>
        public string Type
        {
            get { return type; }
            set
            {
                type = value;
                Show();
            }
        }

        private void Start()
        {
            if (!shown) // else a script has set the type already
            {
                Show();
            }
        }

        /// <summary>Shows another sprite of the same type.</summary>
        public void Show()
        {
            var known = catalogue != null ? catalogue : SpriteCatalogue.Load();
            var sprite = known == null ? null : known.Random(type);
            if (sprite == null)
            {
                Debug.LogWarning(known == null
                    ? "There are no generated sprites yet: Assets > AssetGen > Generate…"
                    : "There are no generated sprites of the type \"" + type + "\".", this);
                return;
            }
            GetComponent<SpriteRenderer>().sprite = sprite;
            shown = true;
        }
    }
}
