//! What is sold: the product categories, with their share of the items, prices, weights and sizes.

/// A product category.
#[derive(Debug)]
pub(crate) struct Category {
    /// Portuguese name, as in the product table.
    pub name: &'static str,
    /// English name; two categories have none.
    pub english: Option<&'static str>,
    /// Share of the items sold, not normed.
    pub share: f64,
    /// Geometric mean of the price, in reais.
    pub price: f64,
    /// Standard deviation of the logarithm of the price.
    pub price_sigma: f64,
    /// Geometric mean of the weight, in grams.
    pub weight: f64,
    /// Standard deviation of the logarithm of the weight.
    pub weight_sigma: f64,
    /// Geometric mean of the volume, in cubic centimetres.
    pub volume: f64,
}

#[expect(clippy::too_many_arguments, reason = "one row of a table")]
const fn category(
    name: &'static str,
    english: Option<&'static str>,
    share: f64,
    price: f64,
    price_sigma: f64,
    weight: f64,
    weight_sigma: f64,
    volume: f64,
) -> Category {
    Category {
        name,
        english,
        share,
        price,
        price_sigma,
        weight,
        weight_sigma,
        volume,
    }
}

/// Name, English name, share, price and its spread, weight and its spread, volume.
#[rustfmt::skip]
pub(crate) const CATEGORIES: &[Category] = &[
    category("cama_mesa_banho", Some("bed_bath_table"), 99.56, 74.0, 0.69, 1280.0, 0.96, 10600.0),
    category("esporte_lazer", Some("sports_leisure"), 79.91, 78.0, 0.84, 790.0, 1.21, 7700.0),
    category("beleza_saude", Some("health_beauty"), 78.59, 78.0, 0.98, 490.0, 1.07, 4700.0),
    category("moveis_decoracao", Some("furniture_decor"), 77.54, 63.0, 0.75, 1390.0, 1.09, 11600.0),
    category("informatica_acessorios", Some("computers_accessories"), 72.23, 80.0, 0.85, 410.0, 1.09, 3900.0),
    category("utilidades_domesticas", Some("housewares"), 56.86, 58.0, 0.87, 1490.0, 1.29, 13100.0),
    category("relogios_presentes", Some("watches_gifts"), 50.18, 130.0, 0.94, 420.0, 0.72, 2000.0),
    category("ferramentas_jardim", Some("garden_tools"), 42.25, 72.0, 0.77, 1780.0, 0.98, 13500.0),
    category("telefonia", Some("telephony"), 42.02, 36.0, 0.86, 210.0, 0.59, 1200.0),
    category("brinquedos", Some("toys"), 39.56, 84.0, 0.79, 910.0, 1.15, 11100.0),
    category("cool_stuff", Some("cool_stuff"), 37.9, 115.0, 0.85, 1360.0, 1.13, 13200.0),
    category("automotivo", Some("auto"), 35.32, 85.0, 1.0, 1050.0, 1.59, 8900.0),
    category("perfumaria", Some("perfumery"), 30.79, 79.0, 0.93, 340.0, 0.79, 3800.0),
    category("bebes", Some("baby"), 26.38, 84.0, 0.93, 1220.0, 1.5, 13400.0),
    category("eletronicos", Some("electronics"), 25.24, 29.0, 0.95, 290.0, 1.1, 3700.0),
    category("papelaria", Some("stationery"), 21.86, 71.0, 0.76, 1350.0, 1.37, 13600.0),
    category("fashion_bolsas_e_acessorios", Some("fashion_bags_accessories"), 19.12, 53.0, 0.75, 210.0, 0.83, 1600.0),
    category("moveis_escritorio", Some("office_furniture"), 16.51, 145.0, 0.43, 10160.0, 0.56, 67500.0),
    category("pet_shop", Some("pet_shop"), 15.49, 76.0, 0.8, 1130.0, 1.4, 12300.0),
    category("consoles_games", Some("consoles_games"), 10.8, 67.0, 1.14, 280.0, 0.84, 3300.0),
    category("malas_acessorios", Some("luggage_accessories"), 10.29, 104.0, 0.66, 2290.0, 1.49, 26600.0),
    category("eletroportateis", Some("small_appliances"), 6.16, 122.0, 1.27, 1350.0, 1.29, 13200.0),
    category("eletrodomesticos", Some("home_appliances"), 6.15, 59.0, 1.01, 660.0, 1.48, 7800.0),
    category("instrumentos_musicais", Some("musical_instruments"), 6.1, 130.0, 1.2, 1150.0, 1.42, 9900.0),
    category("construcao_ferramentas_construcao", Some("construction_tools_construction"), 5.92, 87.0, 1.06, 1370.0, 1.53, 6800.0),
    category("livros_interesse_geral", Some("books_general_interest"), 4.98, 56.0, 0.85, 630.0, 0.67, 3700.0),
    category("casa_construcao", Some("home_construction"), 4.65, 90.0, 0.95, 1300.0, 1.25, 12900.0),
    category("moveis_sala", Some("furniture_living_room"), 4.16, 109.0, 0.72, 6550.0, 0.73, 30100.0),
    category("casa_conforto", Some("home_confort"), 4.15, 103.0, 0.77, 2130.0, 0.86, 21800.0),
    category("alimentos", Some("food"), 3.36, 42.0, 0.65, 440.0, 0.99, 3600.0),
    category("bebidas", Some("drinks"), 3.29, 42.0, 0.78, 520.0, 1.16, 8300.0),
    category("audio", Some("audio"), 3.25, 87.0, 1.09, 550.0, 1.23, 2300.0),
    category("market_place", Some("market_place"), 3.21, 62.0, 0.83, 550.0, 1.13, 5400.0),
    category("fashion_calcados", Some("fashion_shoes"), 2.68, 69.0, 0.66, 790.0, 0.75, 7400.0),
    category("climatizacao", Some("air_conditioning"), 2.68, 127.0, 0.9, 1910.0, 1.39, 12800.0),
    category("alimentos_bebidas", Some("food_drink"), 2.51, 39.0, 0.82, 730.0, 0.78, 5100.0),
    category("telefonia_fixa", Some("fixed_telephony"), 2.48, 68.0, 1.37, 310.0, 0.99, 2200.0),
    category("industria_comercio_e_negocios", Some("industry_commerce_and_business"), 2.4, 104.0, 0.61, 3910.0, 1.18, 31700.0),
    category("moveis_cozinha_area_de_servico_jantar_e_jardim", Some("kitchen_dining_laundry_garden_furniture"), 2.26, 118.0, 0.91, 5210.0, 1.23, 27600.0),
    category("livros_tecnicos", Some("books_technical"), 2.02, 56.0, 0.73, 790.0, 0.69, 2100.0),
    category("eletrodomesticos_2", Some("home_appliances_2"), 1.99, 272.0, 1.07, 6550.0, 1.06, 36700.0),
    category("construcao_ferramentas_jardim", Some("costruction_tools_garden"), 1.97, 63.0, 0.98, 1080.0, 1.23, 7900.0),
    category("pcs", Some("computers"), 1.87, 1029.0, 0.4, 4620.0, 0.77, 30300.0),
    category("agro_industria_e_comercio", Some("agro_industry_and_commerce"), 1.69, 161.0, 1.46, 1500.0, 1.43, 8000.0),
    category("construcao_ferramentas_iluminacao", Some("construction_tools_lights"), 1.57, 105.0, 0.83, 1450.0, 1.5, 11300.0),
    category("artes", Some("art"), 1.56, 71.0, 0.81, 1150.0, 0.89, 9700.0),
    category("construcao_ferramentas_seguranca", Some("construction_tools_safety"), 1.51, 129.0, 1.08, 550.0, 0.84, 4900.0),
    category("artigos_de_natal", Some("christmas_supplies"), 1.4, 38.0, 1.0, 940.0, 1.36, 8700.0),
    category("sinalizacao_e_seguranca", Some("signaling_and_security"), 1.33, 44.0, 1.21, 870.0, 1.6, 12700.0),
    category("fashion_underwear_e_moda_praia", Some("fashion_underwear_beach"), 1.32, 57.0, 0.9, 250.0, 0.48, 2900.0),
    category("fashion_roupa_masculina", Some("fashion_male_clothing"), 1.29, 67.0, 0.67, 510.0, 0.5, 4600.0),
    category("tablets_impressao_imagem", Some("tablets_printing_image"), 0.9, 77.0, 0.53, 290.0, 0.28, 4700.0),
    category("moveis_quarto", Some("furniture_bedroom"), 0.86, 134.0, 1.07, 5010.0, 1.63, 25400.0),
    category("construcao_ferramentas_ferramentas", Some("costruction_tools_tools"), 0.8, 65.0, 1.03, 580.0, 1.1, 5500.0),
    category("dvds_blu_ray", Some("dvds_blu_ray"), 0.62, 32.0, 1.1, 270.0, 0.89, 900.0),
    category("fashion_roupa_feminina", Some("fashio_female_clothing"), 0.49, 49.0, 0.59, 490.0, 0.51, 2200.0),
    category("cine_foto", Some("cine_photo"), 0.46, 87.0, 0.58, 1070.0, 1.07, 6700.0),
    category("livros_importados", Some("books_imported"), 0.46, 61.0, 0.65, 570.0, 0.53, 1900.0),
    category("portateis_casa_forno_e_cafe", Some("small_appliances_home_oven_and_coffee"), 0.45, 614.0, 1.08, 4680.0, 0.96, 35200.0),
    category("moveis_colchao_e_estofado", Some("furniture_mattress_and_upholstery"), 0.41, 98.0, 0.51, 3550.0, 1.11, 62800.0),
    category("fashion_esporte", Some("fashion_sport"), 0.32, 60.0, 0.56, 260.0, 0.68, 4000.0),
    category("flores", Some("flowers"), 0.32, 29.0, 0.48, 1140.0, 1.03, 4000.0),
    category("musica", Some("music"), 0.29, 83.0, 1.35, 830.0, 1.44, 4100.0),
    category("fraldas_higiene", Some("diapers_and_hygiene"), 0.27, 32.0, 0.37, 460.0, 0.58, 5100.0),
    category("casa_conforto_2", Some("home_comfort_2"), 0.27, 17.0, 0.76, 760.0, 0.4, 28600.0),
    category("artigos_de_festas", Some("party_supplies"), 0.27, 67.0, 1.13, 590.0, 1.62, 5500.0),
    category("cds_dvds_musicais", Some("cds_dvds_musicals"), 0.15, 51.0, 0.18, 550.0, 0.5, 13100.0),
    category("la_cuisine", Some("la_cuisine"), 0.15, 129.0, 0.58, 2630.0, 0.85, 23700.0),
    category("fashion_roupa_infanto_juvenil", Some("fashion_childrens_clothes"), 0.08, 62.0, 0.49, 200.0, 0.81, 5800.0),
    category("pc_gamer", None, 0.05, 130.0, 0.3, 2840.0, 0.5, 5500.0),
    category("artes_e_artesanato", Some("arts_and_craftmanship"), 0.04, 45.0, 1.03, 500.0, 0.92, 3300.0),
    category("seguros_e_servicos", Some("security_and_services"), 0.02, 135.0, 0.43, 700.0, 0.79, 9400.0),
    category("portateis_cozinha_e_preparadores_de_alimentos", None, 0.02, 979.0, 0.3, 7350.0, 0.5, 27600.0),
];
